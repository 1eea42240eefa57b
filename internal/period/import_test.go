package period_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"muster/internal/period"
)

const checks = "date,server,cpu,memory,disk,processes,note\n2026-11-01,web-1,41,62.5,70,ok,\n2026-11-02,web-1,93,80,71,failed,worker restarted\n"

func TestImport(t *testing.T) {
	i, err := period.NewImport(period.ServerChecks, "garam", "2026-11", "checks.csv", []byte(checks))
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{{"2026-11-01", "web-1", "41", "62.5", "70", "ok", ""}, {"2026-11-02", "web-1", "93", "80", "71", "failed", "worker restarted"}}
	if fmt.Sprint(i.Rows()) != fmt.Sprint(want) || i.Revision != 1 || len(i.SHA256) != 64 {
		t.Errorf("got %+v", i)
	}
	same, err := period.NewImport(period.Billing, "garam", "2026-11", "b.json", []byte(
		`[{"date": "2026-11-30", "item": "Compute", "amount": 1250000.50, "currency": "KRW"}, {"date": "2026-11-30", "item": "Credit", "amount": "-1000", "currency": "KRW"}]`))
	if err != nil || fmt.Sprint(same.Rows()) != "[[2026-11-30 Compute 1250000.50 KRW] [2026-11-30 Credit -1000 KRW]]" {
		t.Errorf("got %v, %v", same, err)
	}
	if _, err := period.NewImport(period.ServerChecks, "garam", "2026-W45", "checks.csv", []byte("\ufeff"+strings.ReplaceAll(checks, "\n", "\r\n"))); err == nil ||
		!strings.Contains(err.Error(), `checks.csv:2: date "2026-11-01": want a day from 2026-11-02 to 2026-11-08`) {
		t.Errorf("got %v", err)
	}
}

func TestImportRefuses(t *testing.T) {
	for _, tc := range []struct {
		kind    period.ImportKind
		content string
		want    []string
	}{
		{"weather", "x", []string{`kind "weather": want one of server-checks, resources, use, billing, events`}},
		{period.Use, "", []string{"f: it is empty; want the header date,item,quantity,unit"}},
		{period.Use, "date;item;quantity;unit\n", []string{"f:1: header date;item;quantity;unit; want date,item,quantity,unit"}},
		{period.Use, "date,item,quantity,unit\n", []string{"f: no rows; want at least one"}},
		{period.Use, "date,item,quantity,unit\n2026-11-01,CDN,5\n", []string{"f:2: 3 values; want 4: date,item,quantity,unit"}},
		{period.Use, "date,item,quantity,unit\n2026-11-31,CDN,5,GB\n2026-12-01,CDN,five,bananas\n", []string{ // all of it at once
			`f:2: date "2026-11-31": want a day from 2026-11-01 to 2026-11-30`, `f:3: date "2026-12-01": want a day`,
			`f:3: quantity "five": want a number such as 1234.5`, `f:3: unit "bananas": want one of count, requests`,
		}},
		{period.Use, "date,item,quantity,unit\n2026-11-01,CDN,\"1,200\",GB\n", []string{`f:2: quantity "1,200": want a number`}},
		{period.Use, "date,item,quantity,unit\n2026-11-01,CDN,-1,GB\n", []string{`f:2: quantity "-1"`}},
		{period.Use, "date,item,quantity,unit\n2026-11-01,CDN,1e9,GB\n", []string{`f:2: quantity "1e9"`}},
		{period.Use, "date,item,quantity,unit\n2026-11-01, ,1,GB\n", []string{"f:2: item: missing; want a text"}},
		{period.Use, "date,item,quantity,unit\n2026-11-01,CDN,1,GB\n2026-11-01,CDN,2,GB\n", []string{"f:3: the same date, item, unit as in 2"}},
		{period.Use, "date,item,quantity,unit\n2026-11-01,\"C\nDN\",1,GB\n", []string{`f:2: item "C\nDN": want a text of at most 200 bytes on one line`}},
		{period.Use, "date,item,quantity,unit\n2026-11-01,\"CDN,1,GB\n", []string{`f:2: extraneous or missing " in quoted-field; want CSV with commas`}},
		{period.Use, "date,item,quantity,unit\n2026-11-01,\xff,1,GB\n", []string{"f: want UTF-8"}},
		{period.Use, `[{"date": "2026-11-01", "item": "CDN", "quantity": 1, "unit": "GB", "price": 2, "cost": 3}]`, []string{
			`f: row 1: unknown "cost"; want date, item, quantity, unit`, `f: row 1: unknown "price"`,
		}},
		{period.Use, `[{"date": "2026-11-01"}]`, []string{"f: row 1: item: missing", "f: row 1: quantity: missing"}},
		{period.Use, `[1]`, []string{"f: want a list of objects"}},
		{period.ServerChecks, "date,server,cpu,memory,disk,processes,note\n2026-11-01,web-1,101,-1,x,fine,\n", []string{
			`f:2: cpu "101": want a percentage from 0 to 100`, `f:2: memory "-1"`, `f:2: disk "x"`, `f:2: processes "fine": want one of ok, failed`,
		}},
		{period.Billing, "date,item,amount,currency\n2026-11-01,A,1,KRW\n2026-11-01,B,1,USD\n", []string{`f:3: currency "USD": want KRW as in the first row`}},
		{period.Billing, "date,item,amount,currency\n2026-11-01,A,1,won\n", []string{`f:2: currency "won": want a code of ISO 4217`}},
		{period.Resources, "date,resource,kind,change,note\n2026-11-01,web-1,vm,moved,\n", []string{`f:2: change "moved": want one of none, added, changed, removed`}},
		{period.Use, strings.Repeat("x", period.MaxImport+1), []string{"f: 1048577 bytes; want 1048576 at most"}},
		{period.Use, "date,item,quantity,unit\n" + strings.Repeat("x,y\n", 5001), []string{"f:2: 2 values; want 4"}},
	} {
		_, err := period.NewImport(tc.kind, "garam", "2026-11", "f", []byte(tc.content))
		for _, want := range tc.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%.60q: got %v, want %q", tc.content, err, want)
			}
		}
	}
}

func TestAnImportIsKeptAndCorrected(t *testing.T) {
	first, err := period.NewImport(period.ServerChecks, "garam", "2026-11", "checks.csv", []byte(checks))
	if err != nil {
		t.Fatal(err)
	}
	kept, err := json.Marshal(first)
	if err != nil {
		t.Fatal(err)
	}
	again, err := period.ReadImport(kept)
	if err != nil || again.SHA256 != first.SHA256 || len(again.Rows()) != 2 {
		t.Errorf("got %+v, %v", again, err)
	}
	for _, forge := range []func(string) string{
		func(s string) string { return strings.Replace(s, "62.5", "12.5", 1) },
		func(s string) string { return strings.Replace(s, "2026-11-02", "2026-12-02", 1) },
		func(s string) string { return strings.Replace(s, `"revision":1`, `"revision":0`, 1) },
		func(s string) string { return strings.Replace(s, `"revision":1`, `"edition":1`, 1) },
		func(s string) string { return s[:len(s)/2] },
	} {
		if _, err := period.ReadImport([]byte(forge(string(kept)))); err == nil {
			t.Errorf("%s is read", forge(string(kept)))
		}
	}
	next, err := period.NewImport(period.ServerChecks, "garam", "2026-11", "checks.csv", []byte(strings.Replace(checks, "93", "39", 1)))
	if err != nil {
		t.Fatal(err)
	}
	if err := next.Correct(first, " "); err == nil || !strings.Contains(err.Error(), "revision 1 is there with other content") {
		t.Errorf("without a reason: %v", err)
	}
	if err := next.Correct(first, "digits were turned round"); err != nil || next.Revision != 2 || next.Reason == "" {
		t.Errorf("got %+v, %v", next, err)
	}
}

// Whatever comes in, it is refused or it is rows of the period in which every value is what its column wants.
func FuzzImport(f *testing.F) {
	for _, seed := range []string{checks, "", "[", "[{}]", "date,item,quantity,unit\n2026-11-01,a,1,GB\n", "\ufeffdate", `[{"date":"2026-11-01","item":"a","quantity":1,"unit":"GB"}]`, "\"", "a,\"b\nc\""} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		for _, k := range period.ImportKinds() {
			i, err := period.NewImport(k, "garam", "2026-11", "f", content)
			if err != nil {
				continue
			}
			for _, row := range i.Rows() {
				if len(row) != len(period.Columns(k)) || !strings.HasPrefix(row[0], "2026-11-") {
					t.Errorf("%s: row %q", k, row)
				}
			}
		}
	})
}

// What is written by the rules is taken, from CSV and JSON alike.
func TestCSVAndJSONSayTheSame(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var csv strings.Builder
		csv.WriteString("date,item,quantity,unit\n")
		var list []map[string]any
		for n := range rapid.IntRange(1, 20).Draw(rt, "rows") {
			date, quantity := fmt.Sprintf("2026-11-%02d", rapid.IntRange(1, 30).Draw(rt, "day")), fmt.Sprint(rapid.IntRange(0, 1_000_000).Draw(rt, "quantity"))
			unit := rapid.SampledFrom(period.Units()).Draw(rt, "unit")
			item := fmt.Sprintf("항목 %d", n)
			fmt.Fprintf(&csv, "%s,%s,%s,%s\n", date, item, quantity, unit)
			list = append(list, map[string]any{"date": date, "item": item, "quantity": json.Number(quantity), "unit": unit})
		}
		object, err := json.Marshal(list)
		if err != nil {
			rt.Fatal(err)
		}
		a, err := period.NewImport(period.Use, "garam", "2026-11", "a.csv", []byte(csv.String()))
		if err != nil {
			rt.Fatal(err)
		}
		b, err := period.NewImport(period.Use, "garam", "2026-11", "b.json", object)
		if err != nil {
			rt.Fatal(err)
		}
		if !slices.EqualFunc(a.Rows(), b.Rows(), slices.Equal[[]string]) {
			rt.Fatalf("got %q and %q", a.Rows(), b.Rows())
		}
	})
}
