//go:build race

package ingest

// The race detector empties pools at random, so what is allocated is not the decoder's doing.
func init() { emptiesPools = true }
