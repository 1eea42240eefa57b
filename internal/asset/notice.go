package asset

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"muster/internal/calendar"
)

// NoticeKind is what a vendor says of its product.
type NoticeKind string

// The kinds of notices. These strings are on the wire: add, never rename.
const (
	Bug          NoticeKind = "bug"
	Patch        NoticeKind = "patch"
	EndOfSupport NoticeKind = "end-of-support"
)

// NoticeKinds lists the kinds.
func NoticeKinds() []NoticeKind { return []NoticeKind{Bug, Patch, EndOfSupport} }

// Severity is how bad a vendor says that it is.
type Severity string

// The severities. These strings are on the wire: add, never rename.
const (
	Critical Severity = "critical"
	High     Severity = "high"
	Medium   Severity = "medium"
	Low      Severity = "low"
)

// Severities lists them.
func Severities() []Severity { return []Severity{Critical, High, Medium, Low} }

// A Notice is what a vendor has said of one of its products. Vendor and reference together tell it from all others.
type Notice struct {
	Vendor    string        `json:"vendor"`    // ID of a party, or a name
	Reference string        `json:"reference"` // under which the vendor knows it
	Kind      NoticeKind    `json:"kind"`
	Product   string        `json:"product"`
	Versions  []Range       `json:"versions,omitempty"` // in one of these; none: in every one
	Title     string        `json:"title"`
	URL       string        `json:"url,omitempty"`
	Severity  Severity      `json:"severity,omitempty"`
	By        calendar.Date `json:"by"` // the day by which something has to be done
}

// A Fault says what is wrong with a field of a notice.
type Fault struct{ Field, Detail string }

// Error says it.
func (f *Fault) Error() string { return f.Field + ": " + f.Detail }

// Bounds of a notice.
const (
	maxWords    = 200 // characters
	maxVersions = 50
)

// Faults says what is wrong with a notice on a day.
func (n *Notice) Faults(today calendar.Date) (all []*Fault) {
	fault := func(bad bool, field, format string, args ...any) {
		if bad {
			all = append(all, &Fault{field, fmt.Sprintf(format, args...)})
		}
	}
	words := func(field, text string, needed bool) {
		fault(needed && strings.TrimSpace(text) == "", field, "missing")
		fault(utf8.RuneCountInString(text) > maxWords || strings.ContainsAny(text, "\r\n"), field, "want one line of at most %d characters", maxWords)
	}
	words("vendor", n.Vendor, true)
	words("reference", n.Reference, true)
	words("product", n.Product, true)
	words("title", n.Title, true)
	words("url", n.URL, false)
	fault(n.URL != "" && !strings.HasPrefix(n.URL, "https://") && !strings.HasPrefix(n.URL, "http://"), "url", "%q; want a URL that begins with https:// or http://", n.URL)
	fault(!slices.Contains(NoticeKinds(), n.Kind), "kind", "%q; want bug, patch or end-of-support", n.Kind)
	fault(n.Severity != "" && !slices.Contains(Severities(), n.Severity), "severity", "%q; want critical, high, medium or low", n.Severity)
	fault(n.By == 0, "by", "missing; want the day by which something has to be done, such as 2026-12-31")
	fault(n.By != 0 && n.By <= today, "by", "%s; want a day that is to come", n.By)
	fault(len(n.Versions) > maxVersions, "versions", "%d; want %d at most", len(n.Versions), maxVersions)
	for _, r := range n.Versions {
		fault(len(r) > maxWords || !r.Valid(), "versions", "%q; want a version such as 16.4, or bounds such as <16.5 or >=16 <16.5", r)
	}
	return all
}

// Concerns tells whether a notice is about an asset. One that does not say which version it is may be, so it counts; so does one that
// names no vendor, by its product alone.
func (n *Notice) Concerns(a *Asset) bool {
	same := func(x, y string) bool { return strings.EqualFold(strings.TrimSpace(x), strings.TrimSpace(y)) }
	if a.Product == "" || !same(n.Product, a.Product) || a.Vendor != nil && !same(n.Vendor, a.Vendor.ID) && !same(n.Vendor, a.Vendor.Name) {
		return false
	}
	return len(n.Versions) == 0 || a.Version == "" || slices.ContainsFunc(n.Versions, func(r Range) bool { return r.Has(a.Version) })
}

// Detail says in a line what kind of notice it is, and of what.
func (n *Notice) Detail() string {
	parts := []string{string(n.Kind), n.Product}
	for k, r := range n.Versions {
		if k > 0 {
			r = "or " + r
		}
		parts = append(parts, string(r))
	}
	text := strings.Join(parts, " ")
	if n.Severity != "" {
		text += ", " + string(n.Severity)
	}
	return text
}
