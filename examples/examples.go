// Package examples holds a whole organisation folder and real-shaped alerts: what `muster dev` begins with, what the demo
// plays with, and what the documentation shows.
package examples

import "embed"

// FS has the folders org and alerts.
//
//go:embed org alerts
var FS embed.FS
