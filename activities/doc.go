// Package activities makes one attempt at one outside effect, idempotent by key. What it needs from the outside stands
// beside its use as a small interface; Temporal owns the long retries.
package activities
