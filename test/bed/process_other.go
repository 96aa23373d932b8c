//go:build !linux

package bed

import "syscall"

// sysProcAttr makes the child lead a process group. Only Linux can tie its life to ours and give it a network of its own:
// elsewhere a killed bed leaves its processes behind.
func sysProcAttr(spec) *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
