package org_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"

	"muster/internal/org"
)

// schema compiles the schema of a file.
func schema(t testing.TB, file string) *jsonschema.Schema {
	t.Helper()
	s, err := org.SchemaOf(file)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("muster.json", doc); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile("muster.json")
	if err != nil {
		t.Fatalf("%s: %v\n%s", file, err, text)
	}
	return compiled
}

// tree reads YAML as an editor does.
func tree(t testing.TB, text string) any {
	t.Helper()
	var v any
	if err := yaml.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return plain(v)
}

// plain is a tree as JSON has it: a date that YAML has guessed is the text that stands there.
func plain(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, x := range v {
			out[k] = plain(x)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for n, x := range v {
			out[n] = plain(x)
		}
		return out
	case time.Time:
		return v.Format(time.RFC3339)
	}
	return v
}

func TestSchemasTakeWhatMusterTakes(t *testing.T) {
	for _, dir := range []string{"testdata/good", example} {
		names, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
		if err != nil || len(names) == 0 {
			t.Fatal(names, err)
		}
		split, err := filepath.Glob(filepath.Join(dir, "*", "*.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range append(names, split...) {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			kind := filepath.Base(name)
			if slices.Contains(split, name) {
				kind = filepath.Base(filepath.Dir(name)) + ".yaml"
			}
			if kind == "plans.yaml" { // each file of that folder is one
				kind = "plan.yaml"
			}
			if err := schema(t, kind).Validate(tree(t, string(text))); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// mutants calls do with every copy of a tree in which one mapping has a key less, or one that nobody knows. The tree is as it
// was afterwards.
func mutants(name string, v any, do func(what string, stranger bool)) {
	switch v := v.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			x := v[k]
			delete(v, k)
			do("without "+k, false)
			v[k] = x
			mutants(k, x, do)
		}
		if name == "match" || name == "values" {
			return // their keys are free
		}
		v["stranger"] = "x"
		do("with a stranger in "+name, true)
		delete(v, "stranger")
	case []any:
		for _, x := range v {
			mutants(name, x, do)
		}
	}
}

// A schema must not refuse what Muster takes, and refuses every unknown key.
func TestSchemasAreNoStricterThanMuster(t *testing.T) {
	files, refused := planned(t), 0
	for file, text := range files {
		s, doc := schema(t, file), tree(t, text)
		mutants(file, doc, func(what string, stranger bool) {
			err := s.Validate(doc)
			if stranger {
				if err == nil {
					t.Errorf("%s %s: the schema takes it", file, what)
				}
				return
			}
			if err == nil {
				return
			}
			refused++
			changed, merr := yaml.Marshal(doc)
			if merr != nil {
				t.Fatal(merr)
			}
			all := maps.Clone(files)
			all[file] = string(changed)
			if _, lerr := org.LoadFiles(all, time.Unix(0, 0)); lerr == nil {
				t.Errorf("%s %s: Muster takes it, the schema does not: %v", file, what, err)
			}
		})
	}
	if refused < 50 {
		t.Errorf("the schemas have refused %d files that lack a key; want many: what must be there is not in them", refused)
	}
}

func TestTheSchemaOfNoFile(t *testing.T) {
	const want = `schema of "peple.yaml": not a file of an organisation folder; did you mean people.yaml?`
	if _, err := org.SchemaOf("peple.yaml"); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// Every file has a schema, which says what its values are.
func TestSchemasDescribeValues(t *testing.T) {
	for _, file := range org.Files() {
		s, err := org.SchemaOf(file)
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(s)
		if err != nil || !strings.Contains(string(text), `"description":"`) {
			t.Errorf("%s: %v %.200s", file, err, text)
		}
	}
}
