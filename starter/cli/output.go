package cli

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v4"
	"golang.org/x/term"

	"muster/internal/report"
)

// view is how a command shows its answer.
type view struct {
	output, lang string
	noColor      bool
	own          func() string // language of whoever asks, as the server has said with its last answer; nil: nobody is asked

	texts *report.Texts
}

func outputs() []string { return []string{"table", "json", "yaml"} }

func (a *app) viewFlags(cmd *cobra.Command) {
	f := cmd.PersistentFlags()
	f.StringVarP(&a.view.output, "output", "o", "table", "`FORMAT`: table, json or yaml")
	f.StringVar(&a.view.lang, "lang", "", "`LANGUAGE`, en or ko; default: MUSTER_LANG, else that of the terminal, else yours as the organisation knows it")
	f.BoolVar(&a.view.noColor, "no-color", false, "no colours; the same as NO_COLOR=1")
	_ = cmd.RegisterFlagCompletionFunc("output", completions(outputs()))
	_ = cmd.RegisterFlagCompletionFunc("lang", completions(languages()))
}

// prepare checks how the answer is to be shown, before anything is asked.
func (a *app) prepare() error {
	if !slices.Contains(outputs(), a.view.output) {
		return misused("--output %q: want %s", a.view.output, joined(outputs()))
	}
	if l := a.view.lang; l != "" && !slices.Contains(languages(), l) {
		return misused("--lang %q: want %s", l, joined(languages()))
	}
	if a.view.output != "table" {
		return nil // needs no words
	}
	t, err := a.env.Texts()
	a.view.texts = t
	return err
}

// languages are those that have labels.
func languages() []string { return []string{"en", "ko"} }

// language is the reader's: as the flag says, else as the terminal is set, else as the organisation folder has it, else empty.
func (a *app) language() string {
	set := cmp.Or(a.view.lang, a.env.Getenv("MUSTER_LANG"), a.env.Getenv("LC_ALL"), a.env.Getenv("LC_MESSAGES"), a.env.Getenv("LANG"))
	code, _, _ := strings.Cut(strings.ToLower(set), "_")
	code, _, _ = strings.Cut(code, ".")
	if slices.Contains(languages(), code) {
		return code
	}
	if a.view.own != nil && slices.Contains(languages(), a.view.own()) {
		return a.view.own()
	}
	return ""
}

// none says that there is nothing to show.
func (a *app) none(english, korean string) {
	if a.language() == "ko" {
		english = korean
	}
	a.note("%s", english)
}

// answer prints data as it was asked for; people get what table writes.
func (a *app) answer(v any, people func(w io.Writer)) error {
	var b bytes.Buffer
	switch a.view.output {
	case "json":
		if err := encode(&b, v, "  "); err != nil {
			return err
		}
	case "yaml":
		if err := asYAML(&b, v); err != nil {
			return err
		}
	default:
		people(&b)
	}
	if _, err := a.env.Stdout.Write(b.Bytes()); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

func encode(b *bytes.Buffer, v any, indent string) error {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	return e.Encode(v)
}

// asYAML writes what JSON would show, with its names and their order.
func asYAML(b *bytes.Buffer, v any) error {
	var asJSON bytes.Buffer
	if err := encode(&asJSON, v, ""); err != nil {
		return err
	}
	var doc yaml.Node
	if err := yaml.Load(asJSON.Bytes(), &doc); err != nil {
		return fmt.Errorf("print as YAML: %w", err)
	}
	plain(&doc)
	out, err := yaml.Dump(&doc)
	if err != nil {
		return fmt.Errorf("print as YAML: %w", err)
	}
	_, err = b.Write(out)
	return err
}

// plain takes the braces and quotes of JSON away. Words that an older YAML takes for a truth value keep theirs.
func plain(n *yaml.Node) {
	switch strings.ToLower(n.Value) {
	case "y", "n", "yes", "no", "on", "off":
	default:
		n.Style = 0
	}
	for _, c := range n.Content {
		plain(c)
	}
}

// rows lays cells out in columns, whatever width their characters have. The last column is made to fit the terminal:
// text.WrapSoft wraps it, cut cuts it.
func (a *app) rows(w io.Writer, rows [][]string, fit func(text string, columns int) string) {
	t := table.NewWriter()
	t.SetStyle(table.Style{Box: table.BoxStyle{PaddingRight: "  "}, Options: table.OptionsNoBordersAndSeparators})
	t.SuppressTrailingSpaces()
	var widths []int
	for _, cells := range rows {
		var row table.Row
		for n, c := range cells {
			row = append(row, c)
			if n == len(widths) {
				widths = append(widths, 0)
			}
			widths[n] = max(widths[n], text.StringWidthWithoutEscSequences(c)+2)
		}
		t.AppendRow(row)
	}
	if left := a.width(); left > 0 && len(widths) > 0 {
		last := len(widths) - 1
		for _, used := range widths[:last] {
			left -= used
		}
		const narrowest = 20
		t.SetColumnConfigs([]table.ColumnConfig{{Number: last + 1, WidthMax: max(left, narrowest), WidthMaxEnforcer: fit}})
	}
	fmt.Fprintln(w, t.Render())
}

// cut ends a line that has more columns than there are.
func cut(line string, columns int) string { return text.Snip(line, columns, "…") }

// width is how many columns the terminal has, 0 when the answer goes elsewhere.
func (a *app) width() int {
	if n, err := strconv.Atoi(a.env.Getenv("COLUMNS")); err == nil && n > 0 {
		return n
	}
	if f, ok := a.env.Stdout.(*os.File); ok {
		if n, _, err := term.GetSize(int(f.Fd())); err == nil {
			return n
		}
	}
	return 0
}

// A colour is how a terminal is asked for it.
type colour string

const (
	bold   colour = "1"
	dim    colour = "2"
	red    colour = "31"
	green  colour = "32"
	yellow colour = "33"
)

// paint colours text for a terminal, unless nobody wants colours.
func (a *app) paint(c colour, s string) string {
	if s == "" || c == "" || !a.colours() {
		return s
	}
	return "\x1b[" + string(c) + "m" + s + "\x1b[0m"
}

func (a *app) colours() bool {
	if a.view.noColor || a.env.Getenv("NO_COLOR") != "" {
		return false
	}
	if a.env.Getenv("CLICOLOR_FORCE") != "" {
		return true
	}
	return a.env.Getenv("TERM") != "dumb" && a.onTerminal()
}

// onTerminal tells whether somebody watches the output.
func (a *app) onTerminal() bool {
	f, ok := a.env.Stdout.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// printable makes foreign text one line that cannot give orders to a terminal.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, s)
	return strings.TrimRight(s, " ")
}
