// Package acceptance holds the system tests: whole nodes on real engines, killed, cut off from their receivers, flooded
// and broken on purpose. It has no code of its own.
package acceptance
