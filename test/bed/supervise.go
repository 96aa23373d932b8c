package bed

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// outcome ends what the supervisor tells `bed up` through the pipe; the lines before it are progress.
const outcome = "\x00"

// Supervise runs a bed until it is told to end, by Remote.Down or a signal that ends ctx. Progress, then the outcome of the
// start, go to tell.
func Supervise(ctx context.Context, o Options, tell *os.File) error {
	syscall.CloseOnExec(int(tell.Fd())) // the children must not hold it open
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	o.Log = tell
	err := Build(ctx, tell)
	var b *Bed
	if err == nil {
		b, err = Start(ctx, o)
	}
	if err == nil {
		err = b.serveControl(cancel)
	}
	if err != nil {
		_, _ = fmt.Fprint(tell, outcome, err.Error())
		_ = tell.Close()
		return err
	}
	_, _ = fmt.Fprint(tell, outcome)
	_ = tell.Close()
	<-ctx.Done()
	b.Down()
	return nil
}

// serveControl answers `bed status`, `bed down` and the others on a socket that only this user can open.
func (b *Bed) serveControl(end func()) error {
	l, err := net.Listen("unix", b.socket("control"))
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) { reply(w, b.Status(), nil) })
	mux.HandleFunc("POST /down", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, nil, nil)
		end()
	})
	control(mux, "POST /break", func(ctx context.Context, m Mode) (any, error) { return nil, b.Break(ctx, m) })
	control(mux, "POST /mend", func(ctx context.Context, m Mode) (any, error) { return nil, b.Mend(ctx, m) })
	control(mux, "POST /proxies", func(ctx context.Context, p Proxies) (any, error) { return b.ConnectProxies(ctx, p) })
	control(mux, "DELETE /proxies", func(_ context.Context, id string) (any, error) { return nil, b.DisconnectProxies(id) })
	control(mux, "POST /envoys", func(ctx context.Context, e Envoys) (any, error) { return b.StartEnvoys(ctx, e) })
	serve(b.life, l, mux)
	return nil
}

// control adds a call that takes and returns JSON.
func control[In any](mux *http.ServeMux, pattern string, f func(context.Context, In) (any, error)) {
	mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		var in In
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			reply(w, nil, err)
			return
		}
		out, err := f(r.Context(), in)
		reply(w, out, err)
	})
}

func reply(w http.ResponseWriter, out any, err error) {
	w.Header().Set("Content-Type", "application/json")
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		out = map[string]string{"error": err.Error()}
	}
	_ = json.NewEncoder(w).Encode(out)
}

// Up starts a bed that outlives this process, under a supervisor: supervise is the command line that calls Supervise with
// its file descriptor 3. A bed of that name that is running is left as it is. When ctx ends early, so does the bed.
func Up(ctx context.Context, o Options, supervise []string) (*Remote, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	l, err := findLayout()
	if err != nil {
		return nil, err
	}
	if running, err := l.held(o.Name); err != nil {
		return nil, err
	} else if running {
		return waitRunning(ctx, l, o.Name)
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	log, err := os.Create(filepath.Join(l.beds(), o.Name+".supervisor.log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(supervise[0], supervise[1:]...)
	cmd.ExtraFiles, cmd.Stdout, cmd.Stderr = []*os.File{w}, log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // a Ctrl-C here is not one there
	err = cmd.Start()
	_ = w.Close()
	if err != nil {
		return nil, fmt.Errorf("starting the supervisor of bed %s: %w", o.Name, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Signal(syscall.SIGTERM) })
	defer stop()
	if failure := follow(r, o.Log); failure != "" {
		_ = cmd.Wait()
		if ctx.Err() != nil {
			return nil, fmt.Errorf("starting bed %s: %w", o.Name, context.Cause(ctx))
		}
		return nil, fmt.Errorf("%s", failure)
	}
	return Open(o.Name)
}

// follow copies progress until the outcome, and returns why the start failed, "" when it did not.
func follow(r *os.File, log interface{ Write([]byte) (int, error) }) string {
	buf := make([]byte, 4096)
	text, failed := "", false
	for {
		n, err := r.Read(buf)
		progress, rest, done := strings.Cut(string(buf[:n]), outcome)
		if failed {
			text += string(buf[:n])
		} else {
			_, _ = log.Write([]byte(progress))
			failed = done
			text += rest
		}
		if err != nil {
			if !failed {
				return "the supervisor ended without a word; its log is beside the bed's folder"
			}
			return text
		}
	}
}
