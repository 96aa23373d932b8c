package measure

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"text/tabwriter"
	"time"
)

// Broken is a cluster on which an install cannot succeed.
type Broken struct {
	Name string
	// Mode is how the test bed is broken.
	Mode string
	// Cause matches the output of a program that names what is wrong.
	Cause *regexp.Regexp
}

// BrokenBeds are the clusters on which the time to the cause is measured. What
// counts as naming it is the same for both programs, and no more than a word of
// it: Kubernetes' own, or that of the object in the way.
func BrokenBeds() []Broken {
	named := func(words string) *regexp.Regexp { return regexp.MustCompile("(?i)" + words) }
	return []Broken{
		{"no node is ready", "nodes-not-ready", named(`unschedulable|nodes? .*not ready|untolerated|nodes are available`)},
		{"every node is tainted", "taint", named(`unschedulable|taint|nodes are available`)},
		{"the image is not found", "image-pull=/pilot", named(`ErrImagePull|ImagePullBackOff|not found`)},
		{"istiod crashes", "crash-loop", named(`CrashLoopBackOff|exit(ed)? (with )?code`)},
		{"istiod runs out of memory", "oom", named(`OOMKilled|memory`)},
		{"a Secret is missing", "missing-config", named(`CreateContainerConfigError|secret`)},
		{"a probe fails", "probe-failing", named(`probe failed|unhealthy`)},
		{"quota", "quota", named(`quota`)},
		{"pod security", "pod-security", named(`PodSecurity`)},
		{"a webhook refuses", "webhook", named(`denied the request`)},
		{"a webhook's server is gone", "webhook-dead", named(`failed calling webhook|guard\.bed`)},
	}
}

// Said is how long a program took until it named a cause.
type Said struct {
	After time.Duration
	Named bool
	// Last is the last it wrote when it named none.
	Last string
}

// TimeToSay runs a program until its output matches, it ends, or the cap has passed.
func TimeToSay(ctx context.Context, argv []string, cause *regexp.Regexp, cap time.Duration) (Said, error) {
	ctx, stop := context.WithTimeout(ctx, cap)
	defer stop()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.WaitDelay = time.Second
	out := &matching{cause: cause, found: stop}
	cmd.Stdout, cmd.Stderr = out, out
	start := time.Now()
	out.start = start
	if err := cmd.Start(); err != nil {
		return Said{}, fmt.Errorf("running %s: %w", strings.Join(argv, " "), err)
	}
	_ = cmd.Wait() // it is to fail
	out.mu.Lock()
	defer out.mu.Unlock()
	if out.at > 0 {
		return Said{After: out.at, Named: true}, nil
	}
	lines := strings.Split(strings.TrimSpace(out.text.String()), "\n")
	return Said{After: time.Since(start), Last: lines[len(lines)-1]}, nil
}

// matching is output in which a cause is looked for.
type matching struct {
	cause *regexp.Regexp
	found func()
	start time.Time

	mu   sync.Mutex
	text strings.Builder
	at   time.Duration
}

func (m *matching) Write(b []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.text.Write(b)
	if m.at == 0 && m.cause.MatchString(m.text.String()) {
		m.at = time.Since(m.start)
		m.found()
	}
	return len(b), nil
}

// Named is a broken cluster and when each program named what is wrong with it.
type Named struct {
	Name       string
	Ours, Peer Said
}

// WriteCauses writes when the causes were named.
func WriteCauses(w io.Writer, all []Named) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "BROKEN BED\tMESHCTL NAMES THE CAUSE AFTER\tISTIOCTL")
	for _, n := range all {
		fmt.Fprintf(tw, "%s\t%s\t%s\n", n.Name, n.Ours, n.Peer)
	}
	return tw.Flush()
}

// String is such as "1.9 s" or "not named in 60 s".
func (s Said) String() string {
	if s.Named {
		return fmt.Sprintf("%.1f s", s.After.Seconds())
	}
	return fmt.Sprintf("not named in %.0f s", s.After.Seconds())
}
