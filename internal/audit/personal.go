package audit

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"muster/internal/bundle"
)

// A PersonalKind is what was found that does not belong into a record: who people are stands in the organisation folder, and
// secrets go by references.
type PersonalKind string

// The kinds.
const (
	Mail  PersonalKind = "e-mail"
	Phone PersonalKind = "phone"
	Token PersonalKind = "token"
	Name  PersonalKind = "name"
)

// A Personal finding is one text in one part of a bundle.
type Personal struct {
	Part  string       `json:"part"`
	Kind  PersonalKind `json:"kind"`
	Shown string       `json:"shown"` // its beginning and its end: the rest is not told once more
	Times int          `json:"times"`
}

// patterns find what looks like it. A SHA-256, an ID or an instant does not.
func patterns() map[PersonalKind]*regexp.Regexp {
	return map[PersonalKind]*regexp.Regexp{
		Mail:  mails,
		Phone: phones,
		Token: secrets,
	}
}

var (
	mails   = regexp.MustCompile(`[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}`)
	phones  = regexp.MustCompile(`(?:^|[^0-9A-Za-z:.-])(\+[1-9][0-9]{0,2}[ -]?[0-9]{1,4}(?:[ -]?[0-9]{3,4}){2}|0[1-9][0-9]?-[0-9]{3,4}-[0-9]{4}|01[016789][0-9]{7,8})(?:$|[^0-9A-Za-z:-])`)
	secrets = regexp.MustCompile(`muster_[A-Za-z0-9]{20,}|gh[pousr]_[A-Za-z0-9]{30,}|xox[abprs]-[A-Za-z0-9-]{10,}|AKIA[0-9A-Z]{16}|` +
		`eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}|-----BEGIN [A-Z ]*PRIVATE KEY-----|[Bb]earer [A-Za-z0-9._~+/-]{16,}`)
)

// FindPersonal looks for e-mail addresses, phone numbers and tokens, and for the names that it is given, in all parts of a bundle, also
// within the payloads of its histories, but not in PDFs, which the page beside each says in clear. It finds what looks like them; of a name, the whole one.
func FindPersonal(b *bundle.Bundle, names []string) (all []Personal) {
	for _, part := range slices.Sorted(maps.Keys(b.Parts)) {
		if path.Ext(part) == ".pdf" { // packed: what looks like an address there is chance
			continue
		}
		found := map[Personal]int{}
		look := func(text string) {
			for kind, p := range patterns() {
				for _, m := range p.FindAllStringSubmatch(text, -1) {
					found[Personal{Part: part, Kind: kind, Shown: veiled(m[len(m)-1])}]++
				}
			}
			for _, name := range names {
				if times := strings.Count(text, name); times > 0 {
					found[Personal{Part: part, Kind: Name, Shown: name}] += times
				}
			}
		}
		look(string(b.Parts[part]))
		if part == bundle.HistoriesPart {
			var v any
			if json.Unmarshal(b.Parts[part], &v) == nil {
				payloads(v, look)
			}
		}
		for f, times := range found {
			f.Times = times
			all = append(all, f)
		}
	}
	slices.SortFunc(all, func(a, b Personal) int {
		return strings.Compare(a.Part+"\x00"+string(a.Kind)+"\x00"+a.Shown, b.Part+"\x00"+string(b.Kind)+"\x00"+b.Shown)
	})
	return all
}

// payloads looks into what a history holds in base64.
func payloads(v any, look func(string)) {
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			payloads(x, look)
		}
	case map[string]any:
		data, is := v["data"].(string)
		if _, payload := v["metadata"].(map[string]any); is && payload {
			if text, err := base64.StdEncoding.DecodeString(data); err == nil {
				look(string(text))
			}
		}
		for _, x := range v {
			payloads(x, look)
		}
	}
}

// veiled shows enough to find a text again.
func veiled(text string) string {
	const ends = 3
	r := []rune(text)
	if len(r) <= 2*ends {
		return strings.Repeat("*", len(r))
	}
	return string(r[:ends]) + strings.Repeat("*", min(len(r)-2*ends, 10)) + string(r[len(r)-ends:])
}
