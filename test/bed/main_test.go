package bed

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"
)

// shared is the bed most tests use, with an istiod in it.
var shared *Bed

// superviseEnv makes the test binary a supervisor, as `bed supervise` is.
const superviseEnv = "BED_TEST_SUPERVISE"

func TestMain(m *testing.M) {
	if name := os.Getenv(superviseEnv); name != "" {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		defer stop()
		if err := Supervise(ctx, Options{Name: name, Nodes: 1, NoEnvoy: true}, os.NewFile(3, "tell")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(testShared(m))
}

func testShared(m *testing.M) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	start, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	var err error
	if shared, err = Start(ctx, Options{Log: os.Stderr}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer shared.Down()
	if err := addIstiod(start, shared); err != nil {
		fmt.Fprintln(os.Stderr, "starting istiod:", err)
		return 1
	}
	return m.Run()
}
