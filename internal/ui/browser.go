package ui

import (
	"fmt"
	"io"

	"github.com/cli/browser"
)

// Browser opens URLs for the person.
type Browser interface {
	Open(url string) error
}

// SystemBrowser is the person's own browser.
type SystemBrowser struct{}

// Open opens url; it returns an error where no browser can be started.
func (SystemBrowser) Open(url string) error {
	browser.Stdout, browser.Stderr = io.Discard, io.Discard
	if err := browser.OpenURL(url); err != nil {
		return fmt.Errorf("opening %s in a browser: %w", url, err)
	}
	return nil
}
