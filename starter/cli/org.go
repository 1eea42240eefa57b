package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"muster/internal/org"
	"muster/internal/wholefile"
)

// verdict is what validate says of a folder.
type verdict struct {
	Folder       string      `json:"folder"`
	Organisation string      `json:"organisation,omitempty"`
	Revision     string      `json:"revision,omitempty"`
	Faults       []org.Fault `json:"faults"`
	Warnings     []org.Fault `json:"warnings"`
}

func (a *app) validate() *cobra.Command {
	strict := false
	cmd := &cobra.Command{
		Use: "validate FOLDER", GroupID: "check",
		Short: "Check an organisation folder",
		Long: `Check an organisation folder as every process does before it starts, and say all that is wrong with it: each fault with its
file, line and column, the value that stands there, and what would be right. A warning is what is allowed and yet looks like a
mistake.`,
		Example: "  muster validate ./org\n  muster validate --strict ./org       # in a pipeline: warnings count as faults",
		Args:    wants("FOLDER"),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
	}
	cmd.Flags().BoolVar(&strict, "strict", false, "fail where there are warnings")
	a.viewFlags(cmd)
	cmd.RunE = a.shows(func(_ *cobra.Command, args []string) error { return a.judge(args[0], strict) })
	return cmd
}

func (a *app) judge(folder string, strict bool) error {
	o, err := org.LoadAsOf(folder, a.env.Now())
	refusal, refused := errors.AsType[*org.Refusal](err)
	if err != nil && !refused {
		return err
	}
	v := verdict{Folder: folder, Faults: []org.Fault{}, Warnings: []org.Fault{}}
	if refused {
		v.Faults = refusal.Faults
	} else {
		v.Organisation, v.Revision, v.Warnings = o.ID, o.Revision, append(v.Warnings, o.Warnings...)
	}
	if err := a.answer(v, func(w io.Writer) {
		if refused {
			return // the error says it all
		}
		faultless, warning := "%s (%s): no faults, revision %s", "warning: "
		if a.language() == "ko" {
			faultless, warning = "%s (%s): 문제 없음, 리비전 %s", "경고: "
		}
		lines(w, fmt.Sprintf(faultless, o.Name, o.ID, o.Revision))
		for _, f := range v.Warnings {
			f.File = filepath.Join(folder, f.File)
			lines(w, warning+f.String())
		}
	}); err != nil {
		return err
	}
	switch n := len(v.Warnings); {
	case refused && a.view.output != "table":
		return fmt.Errorf("validate %s: faults", folder)
	case refused:
		return err
	case strict && n > 0:
		return fmt.Errorf("validate %s: warnings count as faults, and there are %d", folder, n)
	}
	return nil
}

func (a *app) schema() *cobra.Command {
	into := ""
	cmd := &cobra.Command{
		Use: "schema [FILE]", GroupID: "check",
		Short: "Print the JSON schema of a file of an organisation folder",
		Long: `Print the JSON schema of a file of an organisation folder, for editors that complete and check while you write: it is what
this program reads. Without FILE, list the files. A file that may be split has one schema for all of its parts.

Editors with the YAML language server take the schema that the first line of a file names:

  # yaml-language-server: $schema=.schemas/people.json`,
		Example:           "  muster schema people.yaml\n  muster schema --write org/.schemas   # one for each file",
		ValidArgsFunction: cobra.FixedCompletions(org.Files(), cobra.ShellCompDirectiveNoFileComp),
		Args: func(_ *cobra.Command, args []string) error {
			if into == "" && len(args) == 1 {
				return nil
			}
			return wants()(nil, args)
		},
	}
	cmd.Flags().StringVar(&into, "write", "", "write the schemas of all files into `FOLDER`")
	_ = cmd.MarkFlagDirname("write")
	cmd.RunE = a.does(func(_ *cobra.Command, args []string) error {
		switch {
		case into != "":
			return a.writeSchemas(into)
		case len(args) == 0:
			lines(a.env.Stdout, strings.Join(org.Files(), "\n"))
			return nil
		}
		text, err := schemaOf(args[0])
		if err != nil {
			return err
		}
		_, err = a.env.Stdout.Write(text)
		return err
	})
	return cmd
}

func schemaOf(file string) ([]byte, error) {
	s, err := org.SchemaOf(file)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = encode(&b, s, "  ")
	return b.Bytes(), err
}

func (a *app) writeSchemas(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("write schemas: %w", err)
	}
	for _, file := range org.Files() {
		text, err := schemaOf(file)
		if err != nil {
			return err
		}
		path := filepath.Join(folder, strings.TrimSuffix(file, ".yaml")+".json")
		if err := wholefile.Write(path, text, 0o644); err != nil {
			return fmt.Errorf("write schemas: %w", err)
		}
		lines(a.env.Stdout, path)
	}
	return nil
}
