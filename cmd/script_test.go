package cmd

import (
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes the test binary the command too, so that every script runs a
// real process with its own streams and exit code.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"meshctl": func() { os.Exit(Main(os.Args[1:])) },
	})
}

var update = flag.Bool("update", false, "rewrite the expected output in the scripts")

// TestScripts runs every script below testdata/script; a folder is a command.
func TestScripts(t *testing.T) {
	t.Parallel()
	var dirs []string
	err := filepath.WalkDir("testdata/script", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && path != "testdata/script" {
			dirs = append(dirs, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			testscript.Run(t, testscript.Params{
				Dir:                 dir,
				UpdateScripts:       *update,
				RequireExplicitExec: true,
				RequireUniqueNames:  true,
				Cmds:                map[string]func(*testscript.TestScript, bool, []string){"apiserver": apiserver},
				Condition:           func(string) (bool, error) { return false, nil },
				Setup: func(env *testscript.Env) error {
					// No cluster and no configuration of the machine reaches a script.
					env.Setenv("HOME", env.WorkDir)
					env.Setenv("XDG_CONFIG_HOME", filepath.Join(env.WorkDir, ".config"))
					env.Setenv("KUBECONFIG", filepath.Join(env.WorkDir, "no-kubeconfig"))
					env.Setenv("NO_COLOR", "1")
					return nil
				},
			})
		})
	}
}
