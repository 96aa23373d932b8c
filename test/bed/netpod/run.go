package netpod

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	goruntime "runtime"
	"syscall"
)

// Env names the environment variable with the [Config] of a program that is to call [Run].
const Env = "BED_NETPOD"

// Config says what a namespace has.
type Config struct {
	Socket string   `json:"socket"` // where Dial reaches it
	Ports  []uint16 `json:"ports"`  // where the echo servers listen
	// Certificate and Key are PEM files for servers of TLS; without them they answer TLS as any other bytes.
	Certificate string `json:"certificate,omitempty"`
	Key         string `json:"key,omitempty"`
}

// Run prepares the network namespace this process is in, runs the command in it, and returns the command's exit code.
// It wants to be alone in the namespace, and allowed to change it.
func Run(config string, command []string) int {
	code, err := run(config, command)
	if err != nil {
		fmt.Fprintln(os.Stderr, "netpod:", err)
		return 1
	}
	return code
}

func run(raw string, command []string) (int, error) {
	var c Config
	if err := json.Unmarshal([]byte(raw), &c); err != nil {
		return 0, fmt.Errorf("reading %s: %w", Env, err)
	}
	if len(command) == 0 {
		return 0, errors.New("no command to run")
	}
	if err := everyAddressIsLocal(); err != nil {
		return 0, fmt.Errorf("making every address local: %w", err)
	}
	if err := c.serve(); err != nil {
		return 0, err
	}
	// The command must end with this thread, which the kernel takes for its parent.
	goruntime.LockOSThread()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = os.Stdout, os.Stderr, endWithParent()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		for s := range stop {
			_ = cmd.Process.Signal(s)
		}
	}()
	err := cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return max(exit.ExitCode(), 1), nil
	}
	return 0, err
}

func (c Config) serve() error {
	var certificate *tls.Certificate
	if c.Certificate != "" {
		pair, err := tls.LoadX509KeyPair(c.Certificate, c.Key)
		if err != nil {
			return err
		}
		certificate = &pair
	}
	if err := newEcho(certificate).serve(c.Ports); err != nil {
		return err
	}
	names, err := net.ListenPacket("udp4", "0.0.0.0:53")
	if err != nil {
		return err
	}
	go serveNames(names)
	_ = os.Remove(c.Socket)
	entry, err := net.Listen("unix", c.Socket)
	if err != nil {
		return err
	}
	go serveEntry(entry)
	return nil
}
