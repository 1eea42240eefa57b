package org_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/calendar"
	"muster/internal/incident"
	"muster/internal/org"
	"muster/internal/runbook"
)

const allowing = `runners:
  http: {allow: [lb.example.com, "*.metrics.example.com"]}
  command:
    allow: [/usr/bin/kubectl, /bin/sh]
  secrets: {lb-token: env:LB_TOKEN, db: file:secrets/db}
  prometheus: {url: https://p.metrics.example.com, token: env:PROMETHEUS_TOKEN}
`

// withRunbooks is the good folder with a runbook, a playbook and runners that are allowed.
func withRunbooks(t testing.TB) map[string]string {
	t.Helper()
	files := good(t)
	for _, name := range []string{"restart.md", "why.md"} {
		content, err := os.ReadFile(filepath.Join("testdata/runbooks", name))
		if err != nil {
			t.Fatal(err)
		}
		files["runbooks/"+name] = string(content)
	}
	files["organisation.yaml"] += allowing
	return files
}

func date(t testing.TB, s string) calendar.Date {
	t.Helper()
	d, err := calendar.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestARunbookIsWhatItsFileSays(t *testing.T) {
	o := load(t, withRunbooks(t))
	got, sum, ok := o.Runbook("RUN001")
	if !ok || len(sum) != 64 {
		t.Fatal(ok, sum)
	}
	want := runbook.Runbook{
		ID: "RUN001", Kind: runbook.Procedure, Title: "Restart checkout", Description: "Checkout answers again", Tools: "kubectl, `jq | less`",
		Permissions: "none", Author: "Park", Updated: date(t, "2026-09-21"), Escalation: "NOC", ReviewBy: date(t, "2027-03-21"),
		Parameters: []runbook.Parameter{{ID: "host", Description: "which one"}},
		Steps: []runbook.Step{
			{Number: 1, Text: "Take {{param host}} out.\n\nIt drains within a minute:\n\nThen nothing comes in any more.", Automatic: &runbook.Automatic{
				Runner: runbook.ByHTTP, Timeout: 2 * time.Minute, Output: 16 << 10, Expect: runbook.Expect{From: 204, To: 204, Has: `"drained"`},
				Secrets: []string{"lb-token"},
				HTTP: runbook.HTTP{
					Method: "POST", URL: "https://lb.example.com/drain/{{param host}}", Body: "{\n  \"host\": \"{{param host}}\"\n}",
					Headers: []runbook.Header{{Name: "Content-Type", Value: "application/json"}, {Name: "Authorization", Value: "Bearer {{secret lb-token}}"}},
				},
			}},
			{Number: 2, Text: "Look at the dashboard.\n- No errors?\n- No queue?\n\n```sql\nselect 1;\n```"},
			{Number: 3, Text: "Restart it.", Automatic: &runbook.Automatic{
				Runner: runbook.ByCommand, Command: []string{"/usr/bin/kubectl", "rollout", "restart {{param host}}"}, Timeout: 30 * time.Second,
				Output: 4096, Expect: runbook.Expect{To: 1},
			}},
			{Number: 4, Text: "Clean up.", Automatic: &runbook.Automatic{
				Runner: runbook.ByCommand, Command: []string{"cd /tmp\n\nrm -f \"$HOST\""}, Shell: true, Timeout: 30 * time.Second, Output: 4096,
				Environment: []runbook.Pair{{Name: "HOST", Value: "{{param host}}"}, {Name: "TOKEN", Value: "{{secret lb-token}}"}},
				Secrets:     []string{"lb-token"},
			}},
		},
		Notes: "## Error handling\n\nAsk the NOC.\n\n1. Never twice.\n\n## Exceptions\n\nNone.",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	play, _, _ := o.Runbook("PLAY-1")
	if play.Kind != runbook.Investigation || play.Stakeholders != "고객지원" || play.Communication != "30분마다 안내" {
		t.Errorf("got %+v", play)
	}
	if diff := cmp.Diff([]runbook.Cause{{Text: "결제 서버가 멈춤", Runbook: "RUN001"}, {Text: "그 밖"}}, play.Causes); diff != "" {
		t.Error(diff)
	}
	var ids []string
	for _, rb := range o.Runbooks() {
		ids = append(ids, rb.ID)
	}
	if diff := cmp.Diff([]string{"PLAY-1", "RUN001"}, ids); diff != "" {
		t.Error(diff)
	}
}

// Windows writes other line ends and a mark at the beginning.
func TestLineEndsDoNotMatter(t *testing.T) {
	files := withRunbooks(t)
	want, _, _ := load(t, files).Runbook("RUN001")
	files["runbooks/restart.md"] = "\ufeff" + strings.ReplaceAll(files["runbooks/restart.md"], "\n", "\r\n")
	got, _, _ := load(t, files).Runbook("RUN001")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestARunbookIsPartOfTheRevision(t *testing.T) {
	files := withRunbooks(t)
	before := load(t, files)
	change{"runbooks/restart.md", "Never twice", "Never three times"}.in(t, files)
	after := load(t, files)
	_, was, _ := before.Runbook("RUN001")
	_, is, _ := after.Runbook("RUN001")
	if before.Revision == after.Revision || was == is {
		t.Error("another procedure has the same revision or hash")
	}
	files["runbooks/README.md"], files["runbooks/picture.png"] = "# Ours", "x"
	if load(t, files).Revision != after.Revision {
		t.Error("what is no runbook changes the revision")
	}
}

func TestFaultsOfRunbooks(t *testing.T) {
	const restart, why = "runbooks/restart.md", "runbooks/why.md"
	for _, c := range []faultCase{
		{change{restart, "# Restart checkout\n", ""}, `runbooks/restart.md:1:1: title: missing; want # and a title on the first line`},
		{change{restart, "## Parameters\n", "# Parameters\n"}, `runbooks/restart.md:11:1: a second title begins here; want one in each file, and sections under ##
runbooks/restart.md:13:1: a second table begins here; want one in each section`},
		{change{restart, "## Parameters", "## Parametres"}, `runbooks/restart.md:11:1: section "Parametres": did you mean Parameters?
runbooks/restart.md:13:1: a second table begins here; want one in each section`},
		{change{restart, "| Review by |\n|---", "| Review at |\n|---"}, `runbooks/restart.md:7:114: runbook: unknown heading "Review at"; did you mean Review by?`},
		{change{restart, "| Tools Used |", "| Author |"}, `runbooks/restart.md:7:30: runbook: unknown heading "Author"; known: Runbook ID, 런북 ID, Description, 설명, Tools Used, 사용 도구, Special Permissions, 특수 권한, Runbook Author, 런북 작성자, Last Updated, 최종 수정일, Escalation POC, 에스컬레이션 담당자, Review by, 검토 기한`},
		{change{restart, "| Runbook ID |", "| Playbook ID |"}, `runbooks/restart.md:7:66: playbook: unknown heading "Runbook Author"; did you mean Playbook Author?`},
		{change{restart, "| NOC | 2027-03-21 |", "| NOC |"}, `runbooks/restart.md:9:3: runbook: header: a row of 7 cells; want 8, as there are headings`},
		{change{restart, "| none | Park", "\n| none | Park"}, `runbooks/restart.md:7:1: runbook: header: 2 rows under its headings; want one, on one line`},
		{change{restart, "|---|---|---|---|---|---|---|---|", "|---|---|---|---|---|---|"}, `runbooks/restart.md:7:1: this is no table: its second line needs as many columns as the first one, such as |---|---|`},
		{change{restart, "| 2026-09-21 |", "| 21.09.2026 |"}, `runbooks/restart.md:9:75: runbook RUN001: last updated "21.09.2026": want a date, such as 2026-12-31`},
		{change{restart, "| Park |", "| |"}, `runbooks/restart.md:9:67: runbook RUN001: author: missing; want text of at most 1000 characters`},
		{change{restart, "| RUN001 |", "| RUN 1 |"}, `runbooks/restart.md:9:3: runbook: id "RUN 1": want letters, digits and hyphens, at most 63, such as RUN001`},
		{change{restart, "| host      |", "| Host      |"}, `runbooks/restart.md:15:3: runbook RUN001: parameter "Host": want lower-case letters`},
		{change{restart, "which one   |", "which one   |\n| host | again |"}, `runbooks/restart.md:16:3: runbook RUN001: parameter "host": stands there already`},
		{change{restart, "| host      | which one   |", "| server | which one |"}, `runbooks/restart.md:19:1: runbook RUN001: step 1: parameter host: not declared; want it in the table of parameters`},
		{change{restart, "## Steps\n", "## Steps\n\nDo this:\n"}, `runbooks/restart.md:19:1: steps: want a numbered list, 1. 2. 3. …; indent what belongs to a step under it`},
		{change{restart, "   It drains", "It drains"}, `runbooks/restart.md:21:1: steps: want a numbered list`},
		{change{restart, "2. Look", "3. Look"}, `runbooks/restart.md:35:1: step 2: its number is "3"; want 2, or 1 for every step`},
		{change{restart, "2. Look at the dashboard.", "2."}, `runbooks/restart.md:35:1: runbook RUN001: step 2: text: missing`},
		{change{restart, "4. Clean up.\n", "4.\n"}, `runbooks/restart.md:50:1: runbook RUN001: step 4: text: missing; want what the step is for`},
		{change{restart, "   ~~~\n", ""}, `runbooks/restart.md:51:4: step 4: the block is not closed; want `},
		{change{restart, "4. Clean up.", "4. Clean up.\n   ```command\n   /bin/true\n   ```"}, `runbooks/restart.md:54:4: runbook RUN001: step 4: a second block for a runner; want one in each step`},
		{change{restart, "   - No queue?", "   - No queue?\n\n     ```command\n     /bin/true\n     ```"}, `runbooks/restart.md:39:6: block "command": want it directly in a step, indented as its text is`},
		{change{restart, "Ask the NOC.", "```http\nGET https://x.example\n```"}, `runbooks/restart.md:59:1: block "http": want it directly in a step`},
		{change{restart, "timeout=2m", "timeout=120"}, `runbooks/restart.md:23:4: runbook RUN001: step 1: timeout "120": want a time from 1s to 1d`},
		{change{restart, "timeout=2m", "timout=2m"}, `runbooks/restart.md:23:4: runbook RUN001: step 1: unknown word "timout"; did you mean timeout?`},
		{change{restart, "timeout=2m", "timeout=2m timeout=3m"}, `runbooks/restart.md:23:4: runbook RUN001: step 1: timeout: stands there already`},
		{change{restart, "output=16k", "output=65k"}, `runbooks/restart.md:23:4: runbook RUN001: step 1: output "65k": want a number of bytes from 1 to 64k`},
		{change{restart, "expect=204", "expect=2xx"}, `runbooks/restart.md:23:4: runbook RUN001: step 1: expect "2xx": want a status or a range of them, such as 204 or 200..299`},
		{change{restart, "expect=204", "exit=0"}, `runbooks/restart.md:23:4: runbook RUN001: step 1: unknown word "exit"; known: timeout, output, has, expect`},
		{change{restart, `drained\""`, `drained`}, `runbooks/restart.md:23:4: runbook RUN001: step 1: "has": want a second quotation mark at the end of its value`},
		{change{restart, "exit=0..1", "exit=1..0"}, `runbooks/restart.md:44:4: runbook RUN001: step 3: exit "1..0": want an exit code or a range of them`},
		{change{restart, "POST https", "SEND https"}, `runbooks/restart.md:24:4: runbook RUN001: step 1: method "SEND": want GET, HEAD, POST, PUT, PATCH or DELETE`},
		{change{restart, "https://lb.example.com/drain/{{", "lb.example.com/drain/{{"}, `runbooks/restart.md:23:4: runbook RUN001: step 1: URL: want one that begins with https:// or http://`},
		{change{restart, "Content-Type: application/json", "Content-Type application/json"}, `runbooks/restart.md:25:4: runbook RUN001: step 1: header "Content-Type application/json": want NAME: VALUE, and an empty line before a body`},
		{change{restart, "{{secret lb-token}}\n\n", "{{secrets lb-token}}\n\n"}, `runbooks/restart.md:23:4: runbook RUN001: step 1: placeholder "{{secrets lb-token}}": want {{param NAME}} or {{secret NAME}}`},
		{change{restart, "   rollout\n", "   rollout \n"}, `runbooks/restart.md:46:4: runbook RUN001: step 3: argument "rollout ": want one on each line, without spaces around it`},
		{change{restart, "   rollout\n", "   roll\u00a0out\n"}, `runbooks/restart.md:46:4: runbook RUN001: step 3: "roll\u00a0out": want printable characters only`},
		{change{restart, "   rollout\n", "   \u202eolt\n"}, `runbooks/restart.md:46:4: character U+202E: want none that is not seen or turns the reading direction`},
		{change{restart, "/usr/bin/kubectl", "kubectl"}, `runbooks/restart.md:44:4: runbook RUN001: step 3: program "kubectl": want its whole path`},
		{change{restart, `rm -f "$HOST"`, `rm -f {{param host}}`}, `runbooks/restart.md:51:4: runbook RUN001: step 4: parameter host in a script: a shell would read it as commands`},
		{change{restart, "shell env.HOST", "env.HOST"}, `runbooks/restart.md:53:1: runbook RUN001: step 4: argument "": want one on each line`},
		{change{why, "## 단계\n\n1. 대시보드를 봄\n", ""}, `runbooks/why.md:1:1: playbook PLAY-1: 0 steps; want 1 to 100`},
		{change{why, "| RUN001 |", "| RUN01 |"}, `runbooks/why.md:15:15: playbook PLAY-1: cause "결제 서버가 멈춤": runbook "RUN01": no such runbook; did you mean RUN001?`},
		{change{why, "| RUN001 |", "| PLAY-1 |"}, `runbooks/why.md:15:15: playbook PLAY-1: cause "결제 서버가 멈춤": runbook "PLAY-1": is a playbook; want a runbook`},
		{change{why, "| PLAY-1 |", "| RUN001 |"}, `runbooks/why.md:5:3: playbook RUN001: id "RUN001": taken by runbooks/restart.md:9`},
		{change{restart, "## Error handling\n", "## Causes\n\n| Cause | Runbook |\n|---|---|\n| disk | RUN001 |\n\n## Error handling\n"}, `runbooks/restart.md:59:1: runbook RUN001: causes: want none; only a playbook looks for causes`},
		{change{"organisation.yaml", "lb.example.com, ", ""}, `runbooks/restart.md:23:4: runbook RUN001: step 1: host "lb.example.com": not allowed; want it in runners: http: allow, if Muster may send requests there, in organisation.yaml`},
		{change{"organisation.yaml", "[/usr/bin/kubectl, /bin/sh]", "[/bin/sh]"}, `runbooks/restart.md:44:4: runbook RUN001: step 3: program "/usr/bin/kubectl": not allowed; want it in runners: command: allow`},
		{change{"organisation.yaml", "[/usr/bin/kubectl, /bin/sh]", "[/usr/bin/kubectl]"}, `runbooks/restart.md:51:4: runbook RUN001: step 4: program "/bin/sh": not allowed`},
		{change{"organisation.yaml", "lb-token: env", "lb_token: env"}, `runbooks/restart.md:23:4: runbook RUN001: step 1: secret "lb-token": no such secret; want it in runners: secrets, in organisation.yaml; did you mean lb_token?`},
		{change{"organisation.yaml", "lb-token: env:LB_TOKEN", "lb-token: hunter2"}, `organisation.yaml:34:23: organisation: runners: secrets: lb-token <secret>: want a reference to a secret`},
		{change{"organisation.yaml", "db: file:secrets/db", "DB: file:secrets/db"}, `organisation.yaml:34:12: organisation: runners: secrets: name "DB": want lower-case letters`},
		{change{"organisation.yaml", "[lb.example.com,", "[https://lb.example.com,"}, `organisation.yaml:31:18: organisation: runners: http: allow "https://lb.example.com": want the name of a host`},
		{change{"organisation.yaml", "/bin/sh]", "/usr/../bin/sh]"}, `organisation.yaml:33:31: organisation: runners: command: allow "/usr/../bin/sh": want the whole path of a program`},
		{change{"services.yaml", `runbook: "https://runbooks.example.com/down"`, "runbook: RUN01"}, `services.yaml:27:32: service shop: response 1: runbook "RUN01": no such runbook; did you mean RUN001?`},
		{change{"services.yaml", `runbook: "https://runbooks.example.com/down"`, "runbook: PLAY-1"}, `services.yaml:27:32: service shop: response 1: runbook "PLAY-1": is a playbook; want a runbook`},
	} {
		t.Run(c.file+" "+clipped(c.old)+" to "+clipped(c.new), func(t *testing.T) {
			files := withRunbooks(t)
			c.in(t, files)
			got := strings.Join(faults(t, files), "\n")
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func clipped(s string) string { return strings.ReplaceAll(s[:min(len(s), 25)], "\n", " ") }

func TestFilesThatAreNoRunbooks(t *testing.T) {
	files := withRunbooks(t)
	files["runbooks/old.markdown"], files["runbooks/x.yaml"], files["runbooks/sub/y.md"] = "x", "x", "# y"
	files["runbooks/latin.md"] = "# caf\xe9"
	files["runbooks/long.md"] = "# long" + strings.Repeat("x", 64<<10)
	want := []string{
		"runbooks/latin.md: not UTF-8 text",
		"runbooks/long.md:1:1: 65542 bytes; want at most 65536: a long procedure is several runbooks",
		"runbooks/old.markdown: want a name that ends in .md",
		"runbooks/sub: a folder in a folder is not read; want its files directly in runbooks",
		"runbooks/x.yaml: want a name that ends in .md",
	}
	if diff := cmp.Diff(want, faults(t, files)); diff != "" {
		t.Error(diff)
	}
}

func TestWarningsOfRunbooks(t *testing.T) {
	for _, c := range []struct{ at, old, new, want string }{
		{"2026-11-24", "", "", ""},
		{"2027-03-21", "", "", ""},
		{"2027-03-22", "", "", "runbooks/restart.md:9:3: runbook RUN001: was to be reviewed by 2027-03-21"},
		{"2026-09-20", "", "", "runbooks/restart.md:9:3: runbook RUN001: was last updated on 2026-09-21, which has not come yet"},
		{"2026-11-24", "| 2026-09-21 | NOC | 2027", "| 2025-11-23 | NOC | 2027", "runbooks/restart.md:9:3: runbook RUN001: was last updated on 2025-11-23, more than 365 days ago; want somebody to run it and say that it is still right"},
		{"2026-11-24", "| 2026-09-21 | NOC | 2027", "| 2025-11-24 | NOC | 2027", ""},
	} {
		files := withRunbooks(t)
		delete(files, "runbooks/why.md")
		change{"runbooks/restart.md", c.old, c.new}.in(t, files)
		at, err := time.Parse(time.DateOnly, c.at)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		write(t, dir, files)
		o, err := org.LoadAsOf(dir, at)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, w := range o.Warnings {
			if strings.HasPrefix(w.File, "runbooks/") {
				got += w.String()
			}
		}
		if got != c.want {
			t.Errorf("at %s %s: got %q, want %q", c.at, c.new, got, c.want)
		}
	}
}

func TestAResponsePlanLeadsToARunbook(t *testing.T) {
	files := withRunbooks(t)
	change{"services.yaml", `runbook: "https://runbooks.example.com/down", playbook: "https://playbooks.example.com/down"`, "runbook: RUN001, playbook: PLAY-1"}.in(t, files)
	d := define(t, load(t, files), "prometheus", map[string]string{"service": "shop", "alertname": "Down"}, "it is down")
	want := []incident.Link{
		{Name: "Down", Kind: incident.Runbook, Runbook: "RUN001", Title: "Restart checkout"},
		{Name: "Down", Kind: incident.Playbook, Runbook: "PLAY-1", Title: "결제가 왜 실패하나"},
		{Name: "Runbook", URL: "https://runbooks.example.com/shop"},
	}
	if diff := cmp.Diff(want, d.Links); diff != "" {
		t.Error(diff)
	}
	if got := d.Links[0].Shown(); got != "RUN001 Restart checkout" {
		t.Errorf("got %q", got)
	}
}

func TestSecretsOfSteps(t *testing.T) {
	files := withRunbooks(t)
	files["secrets/db"] = "hunter2\n"
	o := load(t, files)
	if _, err := o.StepSecrets([]string{"lb-token"}); err == nil || !strings.Contains(err.Error(), "secret lb-token: env:LB_TOKEN: not set") {
		t.Errorf("got %v", err)
	}
	t.Setenv("LB_TOKEN", "s3cret")
	got, err := o.StepSecrets([]string{"lb-token", "db"})
	if diff := cmp.Diff([]runbook.Value{{ID: "lb-token", Value: "s3cret"}, {ID: "db", Value: "hunter2"}}, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if _, err := o.StepSecrets([]string{"smtp"}); err == nil {
		t.Error("a secret is given away that no runner may have")
	}
	t.Setenv("PROMETHEUS_TOKEN", "p")
	url, token, err := o.Prometheus()
	if err != nil || url != "https://p.metrics.example.com" || token != "p" {
		t.Error(url, token, err)
	}
	if url, _, err := load(t, good(t)).Prometheus(); url != "" || err != nil {
		t.Error("a folder without runners knows a Prometheus", err)
	}
}

func TestARunbookByItself(t *testing.T) {
	rb, sum, err := org.ReadRunbook("testdata/runbooks/restart.md")
	if err != nil || rb.ID != "RUN001" || len(sum) != 64 {
		t.Error(rb.ID, sum, err)
	}
	path := filepath.Join(t.TempDir(), "x.md")
	if err := os.WriteFile(path, []byte("# x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, _, err = org.ReadRunbook(path)
	refusal, ok := errors.AsType[*org.Refusal](err)
	if !ok || len(refusal.Faults) != 1 || !strings.HasPrefix(refusal.Faults[0].Text, "header: missing") {
		t.Errorf("got %v", err)
	}
}

// What the documentation shows is read as it says.
func TestTheDocumentedRunbook(t *testing.T) {
	page, err := os.ReadFile("../../docs/runbooks.md")
	if err != nil {
		t.Fatal(err)
	}
	_, shown, _ := strings.Cut(string(page), "````markdown\n")
	shown, _, _ = strings.Cut(shown, "````")
	rb, faults := org.ParseRunbook("docs/runbooks.md", []byte(shown))
	if len(faults) > 0 || rb.ID != "RUN101" || len(rb.Steps) != 4 || !rb.Steps[3].Automatic.Shell {
		t.Errorf("got %+v, %v", rb, faults)
	}
}

// Whatever stands in a file: it is read or refused with places that are in the file, and what is read holds the rules of a
// runbook and says nothing that does not stand there.
func FuzzRunbook(f *testing.F) {
	for _, name := range []string{"restart.md", "why.md"} {
		content, err := os.ReadFile(filepath.Join("testdata/runbooks", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(content))
	}
	f.Add("# x\n\n1. a\n   ```http\n\n2. b\n\t```command shell\n\tx\n\t```\n")
	f.Add("|\n|-|\n> 1. ```http\n\\|a|`|`|\n|-|-|\n")
	f.Add("0\nRunbook ID | Description | Tools Used | Special Permissions | Runbook Author | Last Updated | Escalation POC\n-|-|-|-|-|-|-\n|")
	f.Fuzz(func(t *testing.T, content string) {
		rb, faults := org.ParseRunbook("runbooks/x.md", []byte(content))
		for _, x := range faults {
			if x.Line < 0 || x.Line > strings.Count(content, "\n")+1 || x.Text == "" {
				t.Errorf("fault %s of a file of %d lines", x, strings.Count(content, "\n")+1)
			}
		}
		if len(faults) > 0 {
			return
		}
		if broken := rb.Check(); len(broken) > 0 {
			t.Error(errors.Join(broken...))
		}
		for _, s := range rb.Steps {
			for line := range strings.Lines(s.Text) {
				if !strings.Contains(content, strings.TrimSpace(line)) {
					t.Errorf("step %d says %q, which does not stand in the file", s.Number, line)
				}
			}
		}
	})
}
