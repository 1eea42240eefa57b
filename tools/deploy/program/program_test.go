package program_test

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"muster/tools/deploy/program"
)

func TestMain(m *testing.M) { program.Main(m) }

// TestDocuments asks that Muster understands the commands that people are told to run, in blocks and within sentences.
func TestDocuments(t *testing.T) {
	for file, least := range map[string]int{"docs/deployment.md": 8, "docs/operations.md": 25, "deploy/helm/muster/README.md": 6} {
		all := commands(program.File(t, file))
		for _, line := range all {
			args := strings.Fields(line)
			if strings.HasPrefix(args[len(args)-1], "-") {
				args = append(args, "1") // a sentence names the flag alone
			}
			if fault := program.Fault(t, args...); fault != "" {
				t.Errorf("%s: muster %s: %s", file, line, fault)
			}
		}
		if len(all) < least {
			t.Errorf("%s: found %d commands: %q", file, len(all), all)
		}
	}
}

// commands returns what follows the name of the program, each once, wherever it stands as a command does and not as the name of a user or
// of a release.
func commands(text string) []string {
	block := regexp.MustCompile("(?s)```[a-z]*\n(.*?)```")
	command := regexp.MustCompile(`(?m)(?:(?:^|[&|;(]|\bdo|=\S+) *|/)muster(?:-new)? ([a-z][^\n#&…|;()]*)|muster:dev ([a-z][^\n]*)`)
	var code []string
	for _, m := range block.FindAllStringSubmatch(text, -1) {
		code = append(code, strings.ReplaceAll(m[1], "\\\n", ""))
	}
	for _, m := range regexp.MustCompile("`([^`\n]+)`").FindAllStringSubmatch(block.ReplaceAllString(text, ""), -1) {
		code = append(code, m[1])
	}
	var all []string
	for _, m := range command.FindAllStringSubmatch(strings.Join(code, "\n"), -1) {
		all = append(all, strings.TrimSpace(m[1]+m[2]))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// TestCommands is what it stands on: each place in which a command may stand.
func TestCommands(t *testing.T) {
	text := "Run `muster dev`, or `sudo -u muster KEY=x muster token list`; `systemctl status muster` and `muster-archive` are none.\n" +
		"```sh\n" +
		"helm install muster deploy/helm/muster --set a=b   # muster nothing\n" +
		"createdb --owner muster muster && muster health && ./muster-new audit replay *.json\n" +
		"muster incident list -o json | while read id; do muster incident show $id; done; kubectl exec serve -- /muster whoami\n" +
		"docker run muster:dev serve \\\n  --org x\n" +
		"```\n"
	want := []string{
		"audit replay *.json", "dev", "health", "incident list -o json", "incident show $id", "serve   --org x", "token list", "whoami",
	}
	if got := commands(text); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestStopTime asks that people are told for how long a process may take to stop.
func TestStopTime(t *testing.T) {
	both, dev := max(program.StopTime(t, "worker"), program.StopTime(t, "serve")), program.StopTime(t, "dev")
	for pattern, want := range map[string]int{
		`^- SIGTERM stops serve and worker within (\d+) seconds, `:     both,
		`^- SIGTERM stops .*, and dev within (\d+): `:                  dev,
		`^Elsewhere it runs .*, and more than (\d+) seconds to stop:$`: both,
	} {
		if told := program.Lines(t, "docs/deployment.md", pattern); !slices.Equal(told, []string{strconv.Itoa(want)}) {
			t.Errorf("docs/deployment.md: %s tells %q, want %d", pattern, told, want)
		}
	}
}

// TestNotUnderstood is what the tests of deploy/ stand on: a command or flag that is not there is noticed.
func TestNotUnderstood(t *testing.T) {
	for _, line := range []string{"wrok", "worker --lisen :8080", "serve --trusted-proxies", "keys signing nwe keys.json", "worker serve"} {
		if program.Fault(t, strings.Fields(line)...) == "" {
			t.Errorf("muster %s is understood", line)
		}
	}
	for _, name := range []string{"MUSTER_DATE", "TEMPORAL_ADRESS", "MUSTER_"} {
		if program.Reads(t, name) {
			t.Errorf("something reads %s", name)
		}
	}
}
