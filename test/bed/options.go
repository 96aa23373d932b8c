package bed

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"time"
)

// Options says what bed to start. The zero value is a working bed with three nodes.
type Options struct {
	// Name tells beds apart; empty means one made up for this bed.
	Name string
	// Nodes is the number of simulated nodes, 3 when zero.
	Nodes int
	// NoEnvoy leaves istio-proxy containers simulated: their pods are Ready, nothing answers in them.
	NoEnvoy bool
	// MaxEnvoys bounds the Envoy processes, 20 when zero; pods beyond it are Ready with no Envoy.
	MaxEnvoys int
	// IstiodEnv is added to every istiod's environment and wins over the pod's.
	IstiodEnv map[string]string
	// Network, when set, lets traffic through the Envoys.
	Network *Network
	// Break lists modes the bed has from its first moment.
	Break []Mode
	// Timeout bounds Start, one minute when zero; building the programs does not count.
	Timeout time.Duration
	// Log receives progress lines; nil discards them.
	Log io.Writer
}

// madeUp begins the names of beds that were given none.
const madeUp = "go-"

var validName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$`)

func (o Options) withDefaults() (Options, error) {
	if o.Name == "" {
		o.Name = fmt.Sprintf("%s%d-%d", madeUp, os.Getpid(), time.Now().UnixNano()%1e6)
	}
	if !validName.MatchString(o.Name) {
		return o, fmt.Errorf("bed name %q: want lower-case letters, digits and dashes, at most 40", o.Name)
	}
	if o.Nodes == 0 {
		o.Nodes = 3
	}
	if o.Nodes < 0 || o.Nodes > 250 {
		return o, fmt.Errorf("%d nodes: want 1 to 250", o.Nodes)
	}
	if o.MaxEnvoys == 0 {
		o.MaxEnvoys = 20
	}
	if o.Timeout == 0 {
		o.Timeout = time.Minute
	}
	if o.Log == nil {
		o.Log = io.Discard
	}
	for _, m := range o.Break {
		if err := m.valid(); err != nil {
			return o, err
		}
	}
	return o, nil
}

// layout is where the bed finds its sources and keeps its files.
type layout struct{ repo, cache string }

// findLayout looks for the checkout upwards from the working directory. BED_CACHE moves the cache elsewhere.
func findLayout() (layout, error) {
	dir, err := os.Getwd()
	if err != nil {
		return layout{}, err
	}
	for d := dir; ; d = filepath.Dir(d) {
		if _, err := os.Stat(filepath.Join(d, "test", "bed", "go.mod")); err == nil {
			cache := os.Getenv("BED_CACHE")
			if cache == "" {
				cache = filepath.Join(d, ".cache")
			}
			return layout{repo: d, cache: cache}, nil
		}
		if d == filepath.Dir(d) {
			return layout{}, fmt.Errorf("finding the meshctl checkout: no test/bed above %s", dir)
		}
	}
}

func (l layout) bin(name string) string  { return filepath.Join(l.cache, "bin", name) }
func (l layout) beds() string            { return filepath.Join(l.cache, "beds") }
func (l layout) bed(name string) string  { return filepath.Join(l.beds(), name) }
func (l layout) lock(name string) string { return filepath.Join(l.beds(), name+".lock") }
