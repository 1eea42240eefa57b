package api_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
)

// An element is one of a page, with all text in it.
type element struct {
	name     string
	attr     map[string]string
	text     string
	children []*element
}

// parsePage reads a page, which is well-formed, and returns all its elements in their order.
func parsePage(t *testing.T, page string) []*element {
	t.Helper()
	var all, within []*element
	var text strings.Builder // of the page
	from := map[*element]int{}
	d := xml.NewDecoder(strings.NewReader(page))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("not well-formed: %v", err)
		}
		switch v := token.(type) {
		case xml.StartElement:
			e := &element{name: v.Name.Local, attr: map[string]string{}}
			for _, a := range v.Attr {
				e.attr[a.Name.Local] = a.Value
			}
			if len(within) > 0 {
				parent := within[len(within)-1]
				parent.children = append(parent.children, e)
			}
			all, within, from[e] = append(all, e), append(within, e), text.Len()
		case xml.EndElement:
			e := within[len(within)-1]
			e.text, within = text.String()[from[e]:], within[:len(within)-1]
		case xml.CharData:
			text.Write(v)
		}
	}
	if len(within) > 0 || len(all) == 0 {
		t.Fatalf("not closed: %d elements", len(within))
	}
	return all
}

// docsPage asks for the page in a language, as it is and as elements.
func docsPage(t *testing.T, language string) (page string, all []*element) {
	t.Helper()
	w := newPlace(t).ask("GET", "/api/docs?lang="+language, "", "Authorization", "")
	if w.Code != 200 || w.Header().Get("Content-Type") != "text/html; charset=utf-8" {
		t.Fatalf("got %d %s", w.Code, w.Header())
	}
	page = w.Body.String()
	return page, parsePage(t, page)
}

func named(all []*element, names ...string) (found []*element) {
	for _, e := range all {
		if slices.Contains(names, e.name) {
			found = append(found, e)
		}
	}
	return found
}

// squeeze drops the white space that a page may have anywhere.
func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }

func TestDocsStandAlone(t *testing.T) {
	for _, language := range []string{"en", "ko"} {
		page, all := docsPage(t, language)
		allowed := strings.Fields("html head meta title style body header nav main footer section h1 h2 h3 h4 p a ul li dl dt dd " +
			"pre code span strong small")
		for _, e := range all {
			if !slices.Contains(allowed, e.name) {
				t.Errorf("%s: has <%s>", language, e.name)
			}
			for name := range e.attr {
				if name == "style" || name == "src" || strings.HasPrefix(name, "on") {
					t.Errorf("%s: <%s> has the attribute %s", language, e.name, name)
				}
			}
		}
		for _, outside := range []string{"://", "url(", "@import", "javascript:"} {
			if strings.Contains(page, outside) {
				t.Errorf("%s: has %s in it", language, outside)
			}
		}
		if got := all[0].attr["lang"]; got != language {
			t.Errorf("got lang %q, want %q", got, language)
		}
	}
}

func TestDocsAllowTheirOwnStyleAndNothingElse(t *testing.T) {
	for _, language := range []string{"en", "ko"} {
		h := newPlace(t).ask("GET", "/api/docs?lang="+language, "", "Authorization", "").Header()
		page, all := docsPage(t, language)
		styles := named(all, "style")
		if len(styles) != 1 || len(styles[0].attr) > 0 || !strings.Contains(page, "<style>"+styles[0].text+"</style>") {
			t.Fatalf("%s: got %d styles, want one as it stands", language, len(styles))
		}
		sum := sha256.Sum256([]byte(styles[0].text))
		want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
			"'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
		if got := h.Get("Content-Security-Policy"); got != want {
			t.Errorf("%s: got %s\nwant %s", language, got, want)
		}
		for _, part := range []string{"prefers-color-scheme: dark", "@media print", "max-width"} {
			if !strings.Contains(styles[0].text, part) {
				t.Errorf("%s: the style has no %s", language, part)
			}
		}
	}
}

func TestDocsLeadSomewhere(t *testing.T) {
	for _, language := range []string{"en", "ko"} {
		_, all := docsPage(t, language)
		ids := map[string]bool{}
		for _, e := range all {
			if id := e.attr["id"]; id != "" && ids[id] {
				t.Errorf("%s: id %s: twice", language, id)
			} else {
				ids[id] = true
			}
		}
		for _, a := range named(all, "a") {
			to := a.attr["href"]
			id, inside := strings.CutPrefix(to, "#")
			if inside && (id == "" || !ids[id]) || !inside && to != "/api/v1/openapi.json" && !strings.HasPrefix(to, "?lang=") {
				t.Errorf("%s: %q leads nowhere", language, to)
			}
		}
		level := 0
		for _, h := range named(all, "h1", "h2", "h3", "h4") {
			is := int(h.name[1] - '0')
			if is > level+1 || is == 1 && level != 0 {
				t.Errorf("%s: <%s> %q comes after h%d", language, h.name, h.text, level)
			}
			if squeeze(h.text) == "" {
				t.Errorf("%s: an empty <%s>", language, h.name)
			}
			level = is
		}
	}
}

// A reading is the page in a language beside the document.
type reading struct {
	doc      object
	language string
	sections map[string]*element // by id
	classes  map[string]int      // how many there are of each
}

func read(t *testing.T, language string) reading {
	t.Helper()
	r := reading{document(t), language, map[string]*element{}, map[string]int{}}
	_, all := docsPage(t, language)
	for _, e := range named(all, "section") {
		r.sections[e.attr["id"]] = e
		r.classes[e.attr["class"]]++
	}
	return r
}

// said is a text of the document in the language of the page.
func (r reading) said(v any, key string) string {
	if r.language != "en" {
		key = "x-" + key + "-" + r.language
	}
	s, _ := under(v, key).(string)
	return squeeze(s)
}

// want asks that a section says something.
func (r reading) want(t *testing.T, id string, texts ...string) {
	t.Helper()
	e := r.sections[id]
	if e == nil {
		t.Errorf("%s: no section %s", r.language, id)
		return
	}
	for _, text := range texts {
		if text == "" || !strings.Contains(squeeze(e.text), text) {
			t.Errorf("%s: %s: does not say %q", r.language, id, text)
		}
	}
}

func TestDocsHaveASectionForEachOperation(t *testing.T) {
	for _, language := range []string{"en", "ko"} {
		r := read(t, language)
		for _, o := range operations(r.doc) {
			id := o.doc["operationId"].(string)
			r.want(t, id, r.said(o.doc, "summary"), o.method+" "+o.path, r.said(o.doc, "description"), "curl ")
			r.want(t, id, texts(o.doc["x-verb"])...)
			parameters, _ := o.doc["parameters"].([]any)
			for _, p := range parameters {
				p, _ := whole(r.doc, p)
				r.want(t, id, under(p, "name").(string), r.said(p, "description"))
			}
			for code, answer := range o.doc["responses"].(object) {
				r.want(t, id, code)
				if under(answer, "$ref") == nil {
					r.want(t, id, r.said(answer, "description"))
				}
			}
			if _, name := whole(r.doc, under(o.doc, "requestBody", "content", "application/json", "schema")); name != "" {
				r.want(t, id, name, "-d '{")
			}
		}
		if got, want := r.classes["operation"], len(operations(r.doc)); got != want {
			t.Errorf("%s: got %d sections of operations, want %d", language, got, want)
		}
	}
}

func TestDocsHaveASectionForEachSchemaAndProblem(t *testing.T) {
	for _, language := range []string{"en", "ko"} {
		r := read(t, language)
		schemas := under(r.doc, "components", "schemas").(object)
		for name, schema := range schemas {
			r.want(t, "schema-"+name, name, r.said(schema, "description"))
			r.want(t, "schema-"+name, texts(under(schema, "enum"))...)
			properties, _ := under(schema, "properties").(object)
			for field, p := range properties {
				text := r.said(p, "description")
				if text == "" {
					p, _ = whole(r.doc, p)
					text = r.said(p, "description")
				}
				r.want(t, "schema-"+name, field, text)
			}
		}
		problems := under(r.doc, "components", "responses").(object)
		for name, response := range problems {
			r.want(t, "problem-"+name, name, r.said(response, "description"))
		}
		if r.classes["schema"] != len(schemas) || r.classes["problem"] != len(problems) {
			t.Errorf("%s: got %v sections, want %d schemas and %d problems", language, r.classes, len(schemas), len(problems))
		}
	}
}

// The grants come from the table that decides, so a few of them are enough.
func TestDocsSayWhoMay(t *testing.T) {
	for language, want := range map[string]map[string]string{
		"en": {
			"listAttempts":        "provider: administrator, auditor. People, and machines",
			"acknowledgeIncident": "provider: administrator, responder; partner of its service: responder. People only",
			"readIncident":        "customer that it is about: everybody; partner of its service: everybody; vendor of its service: everybody.",
			"revokeToken":         "provider: everybody; customer: everybody; partner: everybody; vendor: everybody. People only",
			"readMe":              "Anybody who is let in",
			"readVersion":         "Everybody, without a token",
		},
		"ko": {
			"listAttempts":        "서비스 제공사: 관리자, 감사자. 사람, 그리고",
			"acknowledgeIncident": "서비스 제공사: 관리자, 대응 담당자; 서비스의 파트너: 대응 담당자. 사람만",
			"readMe":              "토큰이 있는 누구나",
			"readVersion":         "토큰 없이 누구나",
		},
	} {
		_, all := docsPage(t, language)
		for id, text := range want {
			n := slices.IndexFunc(all, func(e *element) bool { return e.attr["id"] == id })
			if n < 0 || !strings.Contains(squeeze(all[n].text), text) {
				t.Errorf("%s: %s: does not say %q", language, id, text)
			}
		}
	}
}

func TestDocsShowRequestsForAShell(t *testing.T) {
	_, all := docsPage(t, "en")
	for id, want := range map[string]string{
		"readVersion":  `curl "$MUSTER_URL/api/v1/version"`,
		"readIncident": "curl \"$MUSTER_URL/api/v1/incidents/INC-7K3M9QX2PA\" \\\n  -H \"Authorization: Bearer $MUSTER_TOKEN\"",
		"revokeToken":  "curl -X DELETE \"$MUSTER_URL/api/v1/tokens/tok_k3v9x2mq7a\" \\\n  -H \"Authorization: Bearer $MUSTER_TOKEN\"",
		"escalateIncident": "curl -X POST \"$MUSTER_URL/api/v1/incidents/INC-7K3M9QX2PA/escalate\" \\\n  -H \"Authorization: Bearer $MUSTER_TOKEN\" \\\n" +
			"  -H 'Idempotency-Key: 3f0c9e5a7b1d4c68' \\\n  -H 'Content-Type: application/json' \\\n  -d '{\"reason\":\"I need somebody who knows the database\"}'",
	} {
		found := slices.IndexFunc(all, func(e *element) bool { return e.attr["id"] == id })
		if found < 0 {
			t.Errorf("%s: no section", id)
			continue
		}
		var got string
		for _, e := range all[found].children {
			if e.name == "pre" {
				got = e.text
			}
		}
		if got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", id, got, want)
		}
	}
}
