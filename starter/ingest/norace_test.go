//go:build !race

package ingest

const emptiesPools = false
