package bed

import (
	"os"
	"syscall"
)

const capNetBindService, capNetAdmin = 10, 12

// sysProcAttr makes the child lead a process group and die with its parent. Without root, a network namespace needs a
// user namespace around it.
func sysProcAttr(sp spec) *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if !sp.netns {
		return a
	}
	a.Cloneflags = syscall.CLONE_NEWNET
	if os.Getuid() != 0 {
		a.Cloneflags |= syscall.CLONE_NEWUSER
		a.UidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getuid(), HostID: os.Getuid(), Size: 1}}
		a.GidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getgid(), HostID: os.Getgid(), Size: 1}}
	}
	if sp.netadmin {
		a.AmbientCaps = []uintptr{capNetAdmin, capNetBindService} // else not root's are lost with the exec
	}
	return a
}
