package supportplan

import (
	"fmt"
	"slices"
	"strings"
)

// A Table compares what the levels of a family of support plans include.
type Table struct {
	ID      string   `json:"id"`
	Name    Text     `json:"name"`
	Source  string   `json:"source,omitempty"`
	Columns []Column `json:"columns"`
	Groups  []Group  `json:"groups"`
	Limits  []Limit  `json:"limits,omitempty"`
}

// A Column is one level, or what a customer can have beside a level.
type Column struct {
	ID   string `json:"id"`
	Name Text   `json:"name"`
	// Extra says that it is no level: what it includes is an add-on, by an extra contract for each item.
	Extra bool `json:"extra,omitempty"`
}

// A Group has features of one kind.
type Group struct {
	Name     Text      `json:"name"`
	Features []Feature `json:"features"`
}

// A Feature is one row of a table.
type Feature struct {
	ID     string  `json:"id"`
	Name   Text    `json:"name"`
	In     []Grant `json:"in"`                // one of each column
	OnSite bool    `json:"on_site,omitempty"` // every use of it is one of the plan's visits
	Note   Text    `json:"note,omitzero"`
}

// Column returns the place of a column, and whether there is one.
func (t Table) Column(id string) (int, bool) {
	n := slices.IndexFunc(t.Columns, func(c Column) bool { return c.ID == id })
	return n, n >= 0
}

// Feature returns a row, and whether there is one.
func (t Table) Feature(id string) (Feature, bool) {
	for _, g := range t.Groups {
		for _, f := range g.Features {
			if f.ID == id {
				return f, true
			}
		}
	}
	return Feature{}, false
}

// Features returns the IDs of all rows, in their order.
func (t Table) Features() (ids []string) {
	for _, g := range t.Groups {
		for _, f := range g.Features {
			ids = append(ids, f.ID)
		}
	}
	return ids
}

// Grant returns what a column gives of a row. What it does not include and a column beside the levels does is an add-on; of a
// column that the table does not have, nobody knows.
func (t Table) Grant(f Feature, column string) Grant {
	n, ok := t.Column(column)
	if !ok || n >= len(f.In) {
		return Grant{Kind: Unknown}
	}
	for i, c := range t.Columns {
		if f.In[n].Kind == NotIncluded && c.Extra && i < len(f.In) && f.In[i].Kind == Included {
			return Grant{Kind: AddOn}
		}
	}
	return f.In[n]
}

// A GrantKind is what a column says of a feature.
type GrantKind string

// The kinds of grants. These strings are in definitions: add, never rename.
const (
	Included    GrantKind = "included"
	NotIncluded GrantKind = "not-included"
	Option      GrantKind = "option" // chosen and paid for with this level
	AddOn       GrantKind = "add-on" // by an extra contract
	ByAgreement GrantKind = "by-agreement"
	Unknown     GrantKind = "unknown" // nobody can say from the source, so nobody guesses
	Limited     GrantKind = "limited" // so many times in each period
)

// GrantKinds lists the kinds of grants.
func GrantKinds() []GrantKind {
	return []GrantKind{Included, Limited, Option, AddOn, ByAgreement, NotIncluded, Unknown}
}

// A Grant is what one column gives of one feature.
type Grant struct {
	Kind  GrantKind `json:"kind"`
	Quota Quota     `json:"quota,omitzero"` // of Limited
}

// ParseGrant reads a grant as tables write it: "included", "unknown", "12 a year".
func ParseGrant(s string) (Grant, error) {
	if k := GrantKind(s); k != Limited && slices.Contains(GrantKinds(), k) {
		return Grant{Kind: k}, nil
	}
	if q, err := ParseQuota(s); err == nil {
		return Grant{Limited, q}, nil
	}
	return Grant{}, fmt.Errorf("grant %q: want %s", s, GrantForms())
}

// GrantForms says how a grant is written.
func GrantForms() string {
	var words []string
	for _, k := range GrantKinds() {
		if k != Limited {
			words = append(words, string(k))
		}
	}
	return strings.Join(words, ", ") + ", or so many in a period, such as 12 a year"
}

// String returns the grant as tables write it.
func (g Grant) String() string {
	if g.Kind == Limited {
		return g.Quota.String()
	}
	return string(g.Kind)
}
