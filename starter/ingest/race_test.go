//go:build race

package ingest

// emptiesPools tells that this is built with the race detector, which takes things out of pools that were put there.
const emptiesPools = true
