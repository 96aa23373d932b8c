package cmd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/spf13/viper"
	"go.yaml.in/yaml/v3"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/hint"
)

// applyConfig fills the flags of c that were not given on the command line
// from MESHCTL_* variables, then from ./.meshctl.yaml, then from the user's
// config.yaml. A key is the name of a flag, or of a command with flags below
// it: `analyze: {fail-on: warning}`.
func (f *Factory) applyConfig(c *cobra.Command) error {
	v := viper.New()
	for _, path := range configFiles() {
		if err := merge(v, c.Root(), path); err != nil {
			return err
		}
	}
	var errs []error
	c.Flags().VisitAll(func(flag *pflag.Flag) {
		if flag.Changed {
			return
		}
		value, source := configured(v, c, flag.Name)
		if source == "" {
			return
		}
		if err := c.Flags().Set(flag.Name, value); err != nil {
			var invalid *pflag.InvalidValueError
			if errors.As(err, &invalid) {
				err = invalid.Unwrap() // without what says the flag again
			}
			errs = append(errs, hint.Usagef(hint.Of(err), "setting --%s from %s: %w", flag.Name, source, err))
		}
	})
	if f.noColor {
		f.IO.Color = false
	}
	return errors.Join(errs...)
}

// configured is the value of a flag outside the command line and where it is from.
func configured(v *viper.Viper, c *cobra.Command, flag string) (value, source string) {
	env := "MESHCTL_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
	if value := os.Getenv(env); value != "" {
		return value, env
	}
	section := strings.Fields(c.CommandPath())[1:]
	for _, key := range []string{strings.Join(append(section, flag), "."), flag} {
		if v.IsSet(key) {
			if list, ok := v.Get(key).([]any); ok {
				var parts []string
				for _, item := range list {
					parts = append(parts, fmt.Sprint(item))
				}
				return strings.Join(parts, ","), key + " in the configuration"
			}
			return v.GetString(key), key + " in the configuration"
		}
	}
	return "", ""
}

// configFiles are the configuration files that exist, weakest first.
func configFiles() []string {
	var files []string
	if dir, err := os.UserConfigDir(); err == nil {
		files = append(files, filepath.Join(dir, "meshctl", "config.yaml"))
	}
	files = append(files, ".meshctl.yaml")
	return slices.DeleteFunc(files, func(path string) bool {
		_, err := os.Stat(path)
		return errors.Is(err, fs.ErrNotExist)
	})
}

// placeOf is where a configuration file has a key, and the file alone when that cannot be told.
func placeOf(path, key string) string {
	text, err := os.ReadFile(path)
	var root yaml.Node
	if err != nil || yaml.Unmarshal(text, &root) != nil || len(root.Content) == 0 {
		return path
	}
	n, place := root.Content[0], path
	for name := range strings.SplitSeq(key, ".") {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if k := n.Content[i]; strings.EqualFold(k.Value, name) {
				n, place = n.Content[i+1], fmt.Sprintf("%s:%d:%d", path, k.Line, k.Column)
				break
			}
		}
	}
	return place
}

// merge reads one file into v after checking its keys.
func merge(v *viper.Viper, root *cobra.Command, path string) error {
	one := viper.New()
	one.SetConfigFile(path)
	one.SetConfigType("yaml")
	if err := one.ReadInConfig(); err != nil {
		return hint.Unanswerablef("correct or remove the file", "reading configuration %s: %w", path, err)
	}
	known := configKeys(root)
	for _, key := range one.AllKeys() {
		if slices.Contains(known, key) || strings.HasPrefix(key, "analyze.severities.") {
			continue
		}
		next := hint.DidYouMean(key, known)
		if next == "" {
			next = "a key is the name of a flag, or of a command with flags below it"
		}
		return hint.Usagef(next, "reading configuration %s: unknown key %q", placeOf(path, key), key)
	}
	return v.MergeConfigMap(one.AllSettings())
}

// configKeys are all keys that a configuration file may have, in viper's
// lower case.
func configKeys(root *cobra.Command) []string {
	seen := map[string]bool{}
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		section := strings.Fields(c.CommandPath())[1:]
		add := func(flag *pflag.Flag) {
			seen[strings.ToLower(flag.Name)] = true
			seen[strings.ToLower(strings.Join(append(slices.Clone(section), flag.Name), "."))] = true
		}
		c.LocalFlags().VisitAll(add)
		c.InheritedFlags().VisitAll(add)
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(root)
	for _, key := range analyze.ConfigKeys() {
		seen["analyze."+key] = true
	}
	keys := make([]string, 0, len(seen))
	for k := range seen {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
