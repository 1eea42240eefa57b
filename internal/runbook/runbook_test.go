package runbook_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/internal/runbook"
)

func TestRulesOfARunbook(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(*runbook.Runbook)
		want  string
	}{
		{"fine", func(*runbook.Runbook) {}, ""},
		{"no id", func(r *runbook.Runbook) { r.ID = "run 1" }, "id: want letters, digits and hyphens"},
		{"no kind", func(r *runbook.Runbook) { r.Kind = "" }, `kind "": want runbook or playbook`},
		{"no permissions", func(r *runbook.Runbook) { r.Permissions = " " }, "special permissions: missing"},
		{"no date", func(r *runbook.Runbook) { r.Updated = 0 }, "last updated: missing"},
		{"a playbook tells somebody", func(r *runbook.Runbook) { r.Kind = runbook.Investigation }, "stakeholders: missing"},
		{"a runbook has no causes", func(r *runbook.Runbook) { r.Causes = []runbook.Cause{{Text: "disk"}} }, "only a playbook looks for causes"},
		{"no steps", func(r *runbook.Runbook) { r.Steps = nil }, "0 steps; want 1 to 100"},
		{"numbers", func(r *runbook.Runbook) { r.Steps[1].Number = 7 }, "step 7: want the number 2"},
		{"undeclared", func(r *runbook.Runbook) { r.Parameters = nil }, "step 1: parameter host: not declared"},
		{"declared twice", func(r *runbook.Runbook) { r.Parameters = append(r.Parameters, r.Parameters...) }, "parameter host: declared twice"},
		{"a slip", func(r *runbook.Runbook) { r.Steps[1].Text = "{{parameter host}}" }, `placeholder "{{parameter host}}": want {{param NAME}}`},
		{"a secret for people", func(r *runbook.Runbook) { r.Steps[1].Text = "{{secret token}}" }, "secret token in the text of a step"},
		{"templates of others", func(r *runbook.Runbook) { r.Steps[2].Automatic.Command[1] = "{{json .}}" }, ""},
		{"no runner", func(r *runbook.Runbook) { r.Steps[0].Automatic.Runner = "ssh" }, `runner "ssh": want http or command`},
		{"method", func(r *runbook.Runbook) { r.Steps[0].Automatic.HTTP.Method = "BREW" }, `method "BREW": want GET, HEAD`},
		{"not a URL", func(r *runbook.Runbook) { r.Steps[0].Automatic.HTTP.URL = "file:///etc/passwd" }, "URL: want one that begins with https:// or http:// and a host that is written out"},
		{"a host that is not written out", func(r *runbook.Runbook) { r.Steps[0].Automatic.HTTP.URL = "https://{{param host}}/x" }, "a host that is written out, without a placeholder, user or password"},
		{"a user in the URL", func(r *runbook.Runbook) { r.Steps[0].Automatic.HTTP.URL = "https://a:{{secret token}}@lb.example/" }, "a host that is written out, without a placeholder, user or password"},
		{"a host that is hidden", func(r *runbook.Runbook) { r.Steps[0].Automatic.HTTP.URL = `https://lb.example\@evil.example/` }, "URL: want one"},
		{"a version", func(r *runbook.Runbook) { r.Steps[0].Automatic.HTTP.URL += " HTTP/1.1" }, "URL: want one without spaces"},
		{"letters", func(r *runbook.Runbook) { r.Steps[0].Automatic.HTTP.URL += "결제" }, "letters beyond ASCII: write them as %20, %23"},
		{"the runner's own header", func(r *runbook.Runbook) { r.Steps[0].Automatic.HTTP.Headers[0].Name = "Host" }, "header Host: want none"},
		{"two lines in a header", func(r *runbook.Runbook) { r.Steps[0].Automatic.HTTP.Headers[0].Value = "a\r\nb" }, "want a value on one line"},
		{"secrets left out", func(r *runbook.Runbook) { r.Steps[0].Automatic.Secrets = nil }, `secrets: got "", want those that it names, "token"`},
		{"a program to be found", func(r *runbook.Runbook) { r.Steps[2].Automatic.Command[0] = "kubectl" }, `program "kubectl": want its whole path`},
		{"a program of somebody's choice", func(r *runbook.Runbook) { r.Steps[2].Automatic.Command[0] = "/bin/{{param host}}" }, "want its whole path"},
		{"an argument that everybody sees", func(r *runbook.Runbook) {
			a := r.Steps[2].Automatic
			a.Command[1], a.Secrets = "{{secret token}}", []string{"token"}
		}, "everybody on the machine sees arguments"},
		{"a script of somebody's choice", func(r *runbook.Runbook) {
			a := r.Steps[2].Automatic
			a.Shell, a.Command = true, []string{"rm -r /data/{{param host}}"}
		}, "parameter host in a script: a shell would read it as commands"},
		{"a script with a variable", func(r *runbook.Runbook) {
			a := r.Steps[2].Automatic
			a.Shell, a.Command = true, []string{`rm -r "/data/$HOST"`}
			a.Environment = []runbook.Pair{{Name: "HOST", Value: "{{param host}}"}}
		}, ""},
		{"no variable", func(r *runbook.Runbook) {
			r.Steps[2].Automatic.Environment = []runbook.Pair{{Name: "A=B", Value: "x"}}
		}, `variable "A=B": want letters`},
		{"no time", func(r *runbook.Runbook) { r.Steps[2].Automatic.Timeout = 0 }, "timeout 0s: want 1s to 24h"},
		{"nothing kept", func(r *runbook.Runbook) { r.Steps[2].Automatic.Output = 0 }, "output 0: want 1 to 65536 bytes"},
		{"too much kept", func(r *runbook.Runbook) {
			for range 3 {
				s := r.Steps[2]
				s.Number = len(r.Steps) + 1
				a := *s.Automatic
				a.Output, s.Automatic = runbook.MaxOutput, &a
				r.Steps = append(r.Steps, s)
			}
		}, "kept of all steps together; want at most 131072"},
		{"no such exit code", func(r *runbook.Runbook) { r.Steps[2].Automatic.Expect.To = 256 }, "exit 0..256: want codes from 0 to 255"},
		{"no such status", func(r *runbook.Runbook) { r.Steps[0].Automatic.Expect.From = 0 }, "expect 0..299: want statuses from 100 to 599"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := restart(t)
			c.spoil(&r)
			err := errors.Join(r.Check()...)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestValuesOfParameters(t *testing.T) {
	for _, c := range []struct {
		values []runbook.Value
		want   string
	}{
		{host("web-1"), ""},
		{host("결제 1호기; rm -rf / $(x) \"'"), ""},
		{nil, "runbook RUN001: parameter host: missing; want which one"},
		{append(host("a"), runbook.Value{ID: "post", Value: "b"}), `parameter "post": not one of this runbook`},
		{append(host("a"), host("b")...), "parameter host: given twice"},
		{host("a\nb"), "want text on one line"},
		{host(""), "want text on one line"},
		{host(strings.Repeat("x", 201)), "want text on one line"},
		{host("-rf"), "does not begin with a hyphen"},
		{host(".."), "is not . or .."},
		{host("{{secret token}}"), "has no {{ in it"},
	} {
		err := errors.Join(restart(t).CheckValues(c.values)...)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%v: got %v, want %q", c.values, err, c.want)
		}
	}
}

func TestValuesStayWhatTheyAre(t *testing.T) {
	e := runbook.Start(restart(t), host(`a"b/../c?d&e=f`))
	a, _, _ := e.Next(noon)
	filled := a.WithSecrets([]runbook.Value{{ID: "token", Value: "s3cret"}})
	want := runbook.HTTP{
		Method: "POST", URL: "https://lb.example/drain/a%22b%2F..%2Fc%3Fd%26e%3Df?why=a%22b%2F..%2Fc%3Fd%26e%3Df", Body: `{"host": "a\"b/../c?d&e=f"}`,
		Headers: []runbook.Header{{Name: "Content-Type", Value: "application/json"}, {Name: "Authorization", Value: "Bearer s3cret"}},
	}
	if diff := cmp.Diff(want, filled.HTTP); diff != "" {
		t.Error(diff)
	}
	if got := a.HTTP.Headers[1].Value; got != "Bearer {{secret token}}" {
		t.Errorf("got %q: what is recorded has the secret in it", got)
	}
	if diff := cmp.Diff(restart(t), e.Runbook); diff != "" {
		t.Errorf("the runbook itself was filled: %s", diff)
	}
}

// No value that is let through makes another word, another line or another placeholder of what it stands in.
func TestNoValueGrows(t *testing.T) {
	rb := restart(t)
	rapid.Check(t, func(rt *rapid.T) {
		v := rapid.StringN(1, 60, -1).Draw(rt, "value")
		if len(rb.CheckValues(host(v))) > 0 {
			rt.Skip()
		}
		e := runbook.Start(rb, host(v))
		a, _, _ := e.Next(noon)
		if strings.Count(a.HTTP.URL, "/") != 4 || strings.Count(a.HTTP.URL, "?") != 1 || strings.Count(a.HTTP.URL, "&") != 0 {
			rt.Errorf("URL %s", a.HTTP.URL)
		}
		if _, secrets := a.Names(); len(secrets) != 1 {
			rt.Errorf("secrets %v", secrets)
		}
	})
}
