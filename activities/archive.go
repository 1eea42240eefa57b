package activities

import (
	"context"
	"time"

	"go.temporal.io/sdk/activity"
)

// An Archivist keeps the runs that have ended before Temporal drops them.
type Archivist interface {
	// Pass keeps what had ended at an instant, or a part of it.
	Pass(ctx context.Context, at time.Time) (ArchivedPass, error)
}

// An ArchivedPass is what one pass over the runs that have ended has done.
type ArchivedPass struct {
	From    time.Time `json:"from"`
	Until   time.Time `json:"until"`
	Kept    int       `json:"kept"`    // bundles
	Logged  int       `json:"logged"`  // entries of the log
	Missing int       `json:"missing"` // runs of which there is no bundle
	More    bool      `json:"more"`    // to be done at once
}

// Archives has the effects of the archive.
type Archives struct{ Archivist Archivist }

// ArchiveHeartbeat is how long a pass may be silent before its worker is taken for dead.
const ArchiveHeartbeat = time.Minute

// ArchivePass makes one pass. A second one after it, or in its stead, finds what it has done.
func (a *Archives) ArchivePass(ctx context.Context, at time.Time) (ArchivedPass, error) {
	over := make(chan struct{})
	defer close(over)
	go func() { // one file may take long
		ticker := time.NewTicker(ArchiveHeartbeat / 6)
		defer ticker.Stop()
		for {
			select {
			case <-over:
				return
			case <-ticker.C:
				activity.RecordHeartbeat(ctx)
			}
		}
	}()
	return a.Archivist.Pass(ctx, at)
}
