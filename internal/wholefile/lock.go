package wholefile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// lockFile is in every folder that was held.
const lockFile = ".lock"

// Hold keeps other processes that hold a folder out of it, and waits for one that does: whoever changes more than one file there does
// so in one go. It gives up when done is closed. The system lets go of it when the process ends, however it ends. A folder on another machine must know such locks.
func Hold(done <-chan struct{}, folder string) (release func(), err error) {
	f, err := os.OpenFile(filepath.Join(folder, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("hold folder: %w", err)
	}
	for {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			break
		}
		select {
		case <-done:
			return nil, errors.Join(fmt.Errorf("hold folder %s: another process has it", folder), f.Close())
		case <-time.After(5 * time.Millisecond):
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("hold folder %s: %w", folder, err), f.Close())
	}
	return func() { _ = f.Close() }, nil
}
