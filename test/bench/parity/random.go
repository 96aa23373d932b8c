package parity

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// Random composes an input out of Settings and Fragments. The same seed gives
// the same input as long as those stay.
func Random(seed uint64) Case {
	r := rand.New(rand.NewPCG(seed, 0))
	c := Case{Name: fmt.Sprintf("seed %d", seed)}
	profiles := profileNames()
	c.set("profile=" + profiles[r.IntN(len(profiles))])
	if r.IntN(8) > 0 { // CRDs are nine tenths of the work
		c.set("components.base.enabled=false")
	}
	fragments := Fragments()
	for _, i := range r.Perm(len(fragments))[:r.IntN(4)] {
		c.Files = append(c.Files, fragments[i])
	}
	settings := Settings()
	appended := map[string]int{} // lists grow one by one
	for _, i := range r.Perm(len(settings))[:2+r.IntN(14)] {
		list, _, isList := strings.Cut(settings[i], "[")
		if isList && !strings.Contains(list, "=") {
			if appended[list] > 0 || strings.Contains(strings.Join(c.Files, ""), list[strings.LastIndex(list, ".")+1:]) {
				continue
			}
			appended[list]++
		}
		if belowNull(settings[i], c.Files) {
			continue // see Divergent
		}
		c.set(settings[i])
	}
	return c
}

// belowNull is whether a setting goes through a key that a file has null at.
func belowNull(setting string, files []string) bool {
	path, _, _ := strings.Cut(setting, "=")
	for key := range strings.SplitSeq(path, ".") {
		if strings.Contains(strings.Join(files, ""), key+": null") {
			return true
		}
	}
	return false
}

func (c *Case) set(setting string) { c.Args = append(c.Args, "--set", setting) }
