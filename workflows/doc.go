// Package workflows says what happens next in Muster's long processes. Nothing here reads a clock, a file or the network:
// rules are in pure packages, effects in activities, and every instant comes from Temporal.
package workflows
