package agree

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Save keeps a run in a folder: NAME.txt to read, NAME.json and the Envoys' NAME-POD.json to judge again.
func (r *Result) Save(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for pod, st := range r.states {
		for suffix, content := range map[string][]byte{".json": st.dump, ".clusters.json": st.clusters} {
			if err := os.WriteFile(filepath.Join(dir, r.Set.Name+"-"+pod+suffix), content, 0o644); err != nil {
				return err
			}
		}
	}
	var b strings.Builder
	for _, q := range r.Requests {
		fmt.Fprintf(&b, "%s\n\tclient: %d %s %s\n", q, q.Answer.Code, q.Answer.Location, q.Answer.Err)
		for _, l := range q.Log {
			fmt.Fprintf(&b, "\tenvoy: %s\n", l.Raw)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, r.Set.Name+".txt"), []byte(b.String()), 0o644); err != nil {
		return err
	}
	raw, err := json.Marshal(r.Requests)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, r.Set.Name+".json"), raw, 0o644)
}

// Replay judges a saved run again, with the trace of today.
func Replay(dir string, s *Set) (*Result, error) {
	raw, err := os.ReadFile(filepath.Join(dir, s.Name+".json"))
	if err != nil {
		return nil, err
	}
	var requests []*Request
	if err := json.Unmarshal(raw, &requests); err != nil {
		return nil, err
	}
	states := map[string]state{}
	for _, pod := range s.envoys() {
		var st state
		for suffix, to := range map[string]*[]byte{".json": &st.dump, ".clusters.json": &st.clusters} {
			if *to, err = os.ReadFile(filepath.Join(dir, s.Name+"-"+pod+suffix)); err != nil {
				return nil, err
			}
		}
		states[pod] = st
	}
	return judge(s, requests, states)
}
