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

// TestDocuments asks that Muster understands the commands that people are told to run.
func TestDocuments(t *testing.T) {
	command := regexp.MustCompile(`(?m)(?:^| )(?:/|)muster(?::dev)? ((?:audit|keys|serve|token|validate|worker|dev)[^\n#&…` + "`" + `|]*)`)
	block := regexp.MustCompile("(?s)```sh\n(.*?)```")
	for file, least := range map[string]int{"docs/deployment.md": 2, "deploy/helm/muster/README.md": 4} {
		found := 0
		for _, code := range block.FindAllStringSubmatch(program.File(t, file), -1) {
			for _, m := range command.FindAllStringSubmatch(strings.ReplaceAll(code[1], "\\\n", ""), -1) {
				program.Understood(t, strings.Fields(m[1])...)
				found++
			}
		}
		if found < least {
			t.Errorf("%s: found %d commands", file, found)
		}
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
