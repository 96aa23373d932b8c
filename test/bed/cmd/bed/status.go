package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/test/bed"
)

func newStatusCmd() *cobra.Command {
	var name, output string
	cmd := &cobra.Command{Use: "status", Short: "Show a bed's processes, ports, pods with a program, and what is broken", Args: cobra.NoArgs}
	nameFlag(cmd, &name)
	cmd.Flags().StringVarP(&output, "output", "o", "table", "table or json")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		r, err := bed.Open(name)
		if err != nil {
			return err
		}
		s, err := r.Status(cmd.Context())
		if err != nil {
			return err
		}
		switch output {
		case "json":
			enc := json.NewEncoder(cmd.OutOrStdout())
			enc.SetIndent("", "  ")
			return enc.Encode(s)
		case "table":
			return printStatus(cmd.OutOrStdout(), s)
		}
		return fmt.Errorf("output %q: want table or json", output)
	}
	return cmd
}

func newListCmd() *cobra.Command {
	return &cobra.Command{Use: "list", Short: "Name the beds of this checkout that run now", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		names, err := bed.List()
		for _, n := range names {
			_, _ = fmt.Fprintln(cmd.OutOrStdout(), n)
		}
		return err
	}}
}

func printStatus(out io.Writer, s bed.Status) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(w, "bed\t%s, up for %s\nkubeconfig\t%s\nlogs\t%s\n", s.Name, time.Since(s.Started).Round(time.Second), s.Kubeconfig, s.Logs)
	if len(s.Broken) > 0 {
		_, _ = fmt.Fprintf(w, "broken\t%s\n", strings.Trim(fmt.Sprint(s.Broken), "[]"))
	}
	for _, p := range s.Proxies {
		_, _ = fmt.Fprintf(w, "proxies\t%s\n", p)
	}
	_, _ = fmt.Fprintf(w, "\nPROCESS\tPID\tSTATE\tPORTS\n%s\t%d\trunning\t\n", "bed", s.PID)
	for _, p := range s.Processes {
		_, _ = fmt.Fprintf(w, "%s\t%d\t%s\t%s\n", p.Name, p.PID, p.State, joinInts(p.Ports))
	}
	if len(s.Pods) > 0 {
		_, _ = fmt.Fprint(w, "\nNAMESPACE\tPOD\tPROGRAM\tSTATE\n")
	}
	for _, p := range s.Pods {
		state, _, _ := strings.Cut(p.State, "\n")
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", p.Namespace, p.Name, p.Program, state)
	}
	return w.Flush()
}
