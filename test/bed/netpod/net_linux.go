package netpod

import (
	"net"
	"syscall"

	"github.com/vishvananda/netlink"
)

// everyAddressIsLocal has the loopback interface take every IPv4 address, as `ip route add local default dev lo` does.
func everyAddressIsLocal() error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	if err := netlink.LinkSetUp(lo); err != nil {
		return err
	}
	return netlink.RouteAdd(&netlink.Route{LinkIndex: lo.Attrs().Index, Table: 255, Type: syscall.RTN_LOCAL, Scope: netlink.SCOPE_HOST,
		Dst: &net.IPNet{IP: net.IPv4zero, Mask: net.CIDRMask(0, 32)}})
}

func endWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
