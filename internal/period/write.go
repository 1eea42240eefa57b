package period

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// JSON writes facts down, as Read reads them. The same facts are the same bytes.
func (f *Facts) JSON() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	written := *f
	written.Imports = slices.Clone(f.Imports)
	for n := range written.Imports {
		written.Imports[n].Content = ""
	}
	if err := e.Encode(&written); err != nil {
		return nil, fmt.Errorf("write period report: %w", err)
	}
	return b.Bytes(), nil
}

// CSV writes all figures, one in each row, with the period, its zone and its customer, none in the report of the provider. What a
// spreadsheet would take for a formula is kept from being one.
func (f *Facts) CSV() ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	_ = w.Write([]string{"period", "zone", "customer", "figure", "of", "unit", "value", "bundles"}) // Flush says what went wrong
	for _, x := range f.Figures {
		value := ""
		if x.Value != nil {
			value = strconv.FormatFloat(*x.Value, 'f', -1, 64)
		}
		_ = w.Write([]string{f.Period, f.Zone, harmless(f.Customer), x.Key, harmless(x.Of), string(x.Unit), value, harmless(strings.Join(x.Bundles, " "))})
	}
	if w.Flush(); w.Error() != nil {
		return nil, fmt.Errorf("write period report: %w", w.Error())
	}
	return b.Bytes(), nil
}

func harmless(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}
