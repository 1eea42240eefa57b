package preset

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// places are what is filled in: {title} stands for a text, {#id} for a number. Whatever is filled in is escaped for where it stands, so
// it can neither end a text nor lead elsewhere, and no place in it is filled in again.
type places map[string]string

var aPlace = regexp.MustCompile(`\{#?[a-z]+\}`)

// fill replaces places as they are escaped.
func (p places) fill(s string, escape func(string) string) (string, error) {
	var unknown error
	filled := aPlace.ReplaceAllStringFunc(s, func(place string) string {
		v, ok := p[strings.Trim(place, "{#}")]
		if !ok {
			unknown = fmt.Errorf("nobody knows %s", place)
		}
		return escape(v)
	})
	return filled, unknown
}

// text fills in what is no path and no body.
func (p places) text(s string) (string, error) { return p.fill(s, func(v string) string { return v }) }

// path fills in a path and its query. The URL before a page of people is what it is.
func (p places) path(s string) (string, error) {
	s = strings.Replace(s, "{url}", strings.TrimRight(p["url"], "/"), 1)
	before, query, asks := strings.Cut(s, "?")
	before, err := p.fill(before, url.PathEscape)
	if err != nil || !asks {
		return before, err
	}
	query, err = p.fill(query, url.QueryEscape)
	return before + "?" + query, err
}

// body fills in the texts of a JSON value.
func (p places) body(v any) (any, error) {
	switch v := v.(type) {
	case string:
		s, err := p.text(v)
		if err != nil {
			return nil, err
		}
		if strings.HasPrefix(v, "{#") && aPlace.FindString(v) == v {
			var n json.Number
			if err := json.Unmarshal([]byte(s), &n); err != nil {
				return nil, fmt.Errorf("%s: %q is no number", v, s)
			}
			return n, nil
		}
		return s, nil
	case []any:
		all := make([]any, len(v))
		for n, x := range v {
			x, err := p.body(x)
			if err != nil {
				return nil, err
			}
			all[n] = x
		}
		return all, nil
	case map[string]any:
		all := make(map[string]any, len(v))
		for k, x := range v {
			x, err := p.body(x)
			if err != nil {
				return nil, err
			}
			all[k] = x
		}
		return all, nil
	}
	return v, nil
}

// join adds what is more to a body: lists one after the other, mappings key by key.
func join(body, more any) any {
	switch b := body.(type) {
	case []any:
		if m, ok := more.([]any); ok {
			return append(append([]any{}, b...), m...)
		}
	case map[string]any:
		if m, ok := more.(map[string]any); ok {
			all := map[string]any{}
			for k, v := range b {
				all[k] = v
			}
			for k, v := range m {
				all[k] = join(all[k], v)
			}
			return all
		}
	}
	if more == nil {
		return body
	}
	return more
}

// in returns what stands at a place of an answer, nil when nothing does.
func (w where) in(v any) any {
	for _, key := range w {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[key]
	}
	return v
}

// text returns a text or a number at a place of an answer.
func (w where) text(v any) string {
	switch v := w.in(v).(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case float64:
		return fmt.Sprintf("%.0f", v) // IDs are whole
	}
	return ""
}
