package cli_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestOncallScripts runs scripts in an organisation folder: one without faults, but for the files that a script has itself.
func TestOncallScripts(t *testing.T) {
	const good = "../../internal/org/testdata/good"
	testscript.Run(t, testscript.Params{
		Dir: "testdata/oncall", UpdateScripts: *update, RequireExplicitExec: true, RequireUniqueNames: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("MUSTER_ORG", "org")
			e.Setenv("LANG", "en_US.UTF-8")
			folder := filepath.Join(e.WorkDir, "org")
			if err := os.MkdirAll(folder, 0o700); err != nil {
				return err
			}
			files, err := os.ReadDir(good)
			for _, f := range files {
				to := filepath.Join(folder, f.Name())
				if _, missing := os.Stat(to); missing == nil || f.IsDir() {
					continue
				}
				content, err := os.ReadFile(filepath.Join(good, f.Name()))
				if err != nil {
					return err
				}
				if err := os.WriteFile(to, content, 0o600); err != nil {
					return err
				}
			}
			return err
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"code": code},
	})
}
