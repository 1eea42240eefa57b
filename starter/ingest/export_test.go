package ingest

// Groups tells how many alert groups an Intake keeps in mind.
func (in *Intake) Groups() int {
	in.commits.mu.Lock()
	defer in.commits.mu.Unlock()
	return len(in.commits.groups)
}

// Hold pretends that other requests hold so many bytes more.
func (in *Intake) Hold(bytes int64) { in.held.Add(bytes) }
