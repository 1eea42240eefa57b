package wholefile_test

import (
	"testing"

	"muster/internal/wholefile"
)

// Who holds a folder has it alone, and whoever waits for it gives up when asked to.
func TestHold(t *testing.T) {
	folder := t.TempDir()
	release, err := wholefile.Hold(nil, folder)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	close(done)
	if _, err := wholefile.Hold(done, folder); err == nil {
		t.Fatal("two hold one folder")
	}
	next := make(chan error)
	go func() {
		release, err := wholefile.Hold(nil, folder)
		if err == nil {
			release()
		}
		next <- err
	}()
	release()
	if err := <-next; err != nil {
		t.Errorf("after its release: %v", err)
	}
}
