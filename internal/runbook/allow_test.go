package runbook_test

import (
	"strings"
	"testing"

	"muster/internal/runbook"
)

func TestOnlyWhatIsAllowedMayRun(t *testing.T) {
	allowed := runbook.Allowed{Hosts: []string{"lb.example", "*.shop.example", "db.example:8443"}, Programs: []string{"/usr/bin/kubectl"}}
	request := func(url string) *runbook.Automatic {
		return &runbook.Automatic{Runner: runbook.ByHTTP, HTTP: runbook.HTTP{Method: "GET", URL: url}}
	}
	script := command("kubectl get pods")
	script.Shell = true
	for _, c := range []struct {
		a    *runbook.Automatic
		want string
	}{
		{request("https://lb.example/x"), ""},
		{request("http://LB.example/{{param host}}"), ""},
		{request("https://lb.example:443"), ""},
		{request("https://lb.example:8443/x"), `host "lb.example:8443": not allowed; want it in runners: http: allow`},
		{request("http://lb.example:443/x"), `host "lb.example:443": not allowed`},
		{request("https://db.example:8443/x"), ""},
		{request("https://db.example/x"), `host "db.example": not allowed`},
		{request("https://a.b.shop.example/"), ""},
		{request("https://shop.example/"), `host "shop.example": not allowed`},
		{request("https://evilshop.example/"), `host "evilshop.example": not allowed`},
		{request("https://.shop.example/"), `host ".shop.example": not allowed`},
		{request("https://lb.example.evil.example/"), "not allowed"},
		{request("https://lb.example@evil.example/"), "want http with a URL"},
		{request("https://lb.example{{param host}}/"), "want http with a URL"},
		{request("/x"), "want http with a URL"},
		{command("/usr/bin/kubectl", "delete"), ""},
		{command("/usr/bin/../bin/kubectl"), `program "/usr/bin/../bin/kubectl": not allowed`},
		{command("kubectl"), "not allowed"},
		{command(), `program "": not allowed`},
		{script, `program "/bin/sh": not allowed`},
		{&runbook.Automatic{}, `runner "": want http`},
	} {
		err := allowed.Check(c.a)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s %v: got %v, want %q", c.a.HTTP.URL, c.a.Command, err, c.want)
		}
		if (runbook.Allowed{}).Check(c.a) == nil {
			t.Errorf("%s %v: allowed although nothing is", c.a.HTTP.URL, c.a.Command)
		}
	}
}
