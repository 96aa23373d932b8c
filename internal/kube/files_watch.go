package kube

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/fsnotify/fsnotify"

	"github.com/meshctl/meshctl/internal/hint"
)

// A burst of changes, such as an editor's or a checkout's, is one: it ends
// with the first pause, or when it has lasted long enough.
const (
	burstPause = 100 * time.Millisecond
	burstLimit = 2 * time.Second
)

// WatchFiles tells of every change of what [ReadFiles] reads of the paths, until
// ctx ends: of the files in them, of new ones, and of what their kustomizations
// use. What changes while nobody receives is told once. The files in ignored,
// such as those that the receiver writes, do not count.
func WatchFiles(ctx context.Context, paths, ignored []string) (<-chan struct{}, error) {
	for _, path := range paths {
		if path == "-" {
			return nil, hint.Usagef("name the files instead of piping them in", "watching stdin: it can be read only once")
		}
		if info, err := os.Stat(path); err == nil && !info.IsDir() && !info.Mode().IsRegular() {
			return nil, hint.Usagef("name files or directories", "watching %s: it can be read only once", path)
		}
	}
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, unwatchable("files", err)
	}
	w := &fileWatcher{paths: paths, ignored: map[string]bool{}, watcher: watcher}
	for _, path := range ignored {
		w.ignored[realPath(path)] = true
	}
	if err := w.look(); err != nil {
		_ = watcher.Close()
		return nil, err
	}
	changed := make(chan struct{}, 1)
	go func() {
		defer func() { _ = watcher.Close() }()
		w.run(ctx, changed)
	}()
	return changed, nil
}

// fileWatcher watches directories, by their real paths: editors replace files,
// so that a watch on the file itself would end with the first change.
type fileWatcher struct {
	paths   []string
	ignored map[string]bool
	watcher *fsnotify.Watcher
	// whole are the directories of which every file with objects counts, files
	// those that count wherever they are.
	whole, files map[string]bool
}

// look watches the directories that the paths now mean.
func (w *fileWatcher) look() error {
	w.whole, w.files = map[string]bool{}, map[string]bool{}
	walk := newWalker()
	var failed error
	for _, path := range w.paths {
		// What is not there yet, or just now, may come.
		_ = walk.add(path)
		base, pattern := doublestar.SplitPattern(filepath.ToSlash(path))
		info, err := os.Stat(path)
		switch {
		case err == nil && info.IsDir():
			failed = errors.Join(failed, w.tree(path))
		case err != nil && strings.ContainsAny(pattern, "*?[{"):
			failed = errors.Join(failed, w.tree(base))
		default:
			failed = errors.Join(failed, w.file(path))
		}
	}
	for _, s := range walk.sources {
		failed = errors.Join(failed, w.file(s.path))
	}
	for _, k := range walk.kustomizations {
		for used := range k.uses {
			failed = errors.Join(failed, w.file(used))
		}
	}
	return failed
}

// tree watches a directory with all below it but hidden ones.
func (w *fileWatcher) tree(root string) error {
	return filepath.WalkDir(realPath(root), func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil || !entry.IsDir():
			return nil //nolint:nilerr // reading it says what is wrong
		case path != realPath(root) && strings.HasPrefix(entry.Name(), "."):
			return filepath.SkipDir
		}
		w.whole[path] = true
		return w.directory(path)
	})
}

// file watches for one file, and for the one that it is a link to.
func (w *fileWatcher) file(path string) error {
	real := realPath(path)
	link := filepath.Join(realPath(filepath.Dir(path)), filepath.Base(path))
	w.files[real], w.files[link] = true, true
	return errors.Join(w.directory(filepath.Dir(real)), w.directory(filepath.Dir(link)))
}

func (w *fileWatcher) directory(path string) error {
	err := w.watcher.Add(path)
	if err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return nil
	}
	return unwatchable(path, err)
}

// run tells of changes, a burst at a time.
func (w *fileWatcher) run(ctx context.Context, changed chan<- struct{}) {
	var pause <-chan time.Time
	var began time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case event, open := <-w.watcher.Events:
			if !open {
				return
			}
			if !w.counts(event) {
				continue
			}
		case _, open := <-w.watcher.Errors: // such as: more happened than could be told
			if !open {
				return
			}
		case <-pause:
			pause, began = nil, time.Time{}
			_ = w.look() // what cannot be watched now was not there before
			select {
			case changed <- struct{}{}:
			default:
			}
			continue
		}
		if began.IsZero() {
			began = time.Now()
		}
		pause = time.After(min(burstPause, max(burstLimit-time.Since(began), 0)))
	}
}

// counts says whether an event is a change of the input.
func (w *fileWatcher) counts(event fsnotify.Event) bool {
	path := event.Name
	switch {
	case event.Op == fsnotify.Chmod, w.ignored[path]:
		return false
	case w.files[path], w.whole[path]:
		return true
	case !w.whole[filepath.Dir(path)]:
		return false
	case hasExtension(path), isKustomizationName(filepath.Base(path)):
		return true
	}
	info, err := os.Stat(path)
	return err == nil && info.IsDir() && !strings.HasPrefix(filepath.Base(path), ".")
}

func unwatchable(what string, err error) error {
	next := "leave out --watch"
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EMFILE) {
		next = "raise fs.inotify.max_user_watches and max_user_instances with sysctl, or name fewer directories"
	}
	return hint.Unanswerablef(next, "watching %s: %w", what, err)
}
