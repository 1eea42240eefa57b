package wholefile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// lockFile is in every folder that was held.
const lockFile = ".lock"

// Hold keeps other processes that hold a folder out of it, and waits for one that does: whoever changes more than one file there does
// so in one go. The system lets go of it when the process ends, however it ends. A folder on another machine must know such locks.
func Hold(folder string) (release func(), err error) {
	f, err := os.OpenFile(filepath.Join(folder, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("hold folder: %w", err)
	}
	for {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("hold folder %s: %w", folder, err), f.Close())
	}
	return func() { _ = f.Close() }, nil
}
