package markdown_test

import (
	"strings"
	"testing"

	"muster/internal/report/markdown"
)

func TestHTML(t *testing.T) {
	for name, row := range map[string]struct{ source, want string }{
		"emphasis before a particle":     {"**강조(x)**입니다", "<p><strong>강조(x)</strong>입니다</p>\n"},
		"after a particle":               {"이것은**(강조)**이다", "<p>이것은<strong>(강조)</strong>이다</p>\n"},
		"quoted words":                   {"*‘지연’*으로 **「확인」**을", "<p><em>‘지연’</em>으로 <strong>「확인」</strong>을</p>\n"},
		"in brackets":                    {"(**강조**)와 **a** b*c*", "<p>(<strong>강조</strong>)와 <strong>a</strong> b<em>c</em></p>\n"},
		"no emphasis":                    {"3 * 4 * 5 \\*별\\* snake_case_name ** 가 **", "<p>3 * 4 * 5 *별* snake_case_name ** 가 **</p>\n"},
		"a table":                        {"| a | b |\n|---|--:|\n| x \\| y | **1** |\n", "<td>x | y</td>\n<td style=\"text-align:right\"><strong>1</strong></td>"},
		"facts":                          {"| | |\n|---|---|\n| a | b |\n", "<table class=\"facts\">\n<thead>\n<tr>\n<th scope=\"col\"></th>"},
		"HTML":                           {"a <b onclick=x>b</b>\n\n<script>x</script>\n", "<p>a <!-- raw HTML omitted -->b<!-- raw HTML omitted --></p>\n<!-- raw HTML omitted -->\n"},
		"a link to no page":              {"[x](javascript:alert(1))", "<p><a href=\"\">x</a></p>\n"},
		"the sign-off box first":         {"# T\n\n<!-- sign-off -->\n| a |\n|---|\n| |\n\nx\n", "<table class=\"sign\">\n<thead>\n<tr>\n<th scope=\"col\">a</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td></td>\n</tr>\n</tbody>\n</table>\n<h1>T</h1>\n<p>x</p>\n"},
		"a sign-off line without a box":  {"<!-- sign-off -->\n\nx\n", "<!-- raw HTML omitted -->\n<p>x</p>\n"},
		"another comment before a table": {"<!-- x -->\n| a |\n|---|\n", "<!-- raw HTML omitted -->\n<table>"},
	} {
		got, err := markdown.HTML([]byte(row.source))
		if err != nil || !strings.Contains(string(got), row.want) {
			t.Errorf("%s: got %q, %v; want %q", name, got, err, row.want)
		}
	}
}

func TestPlain(t *testing.T) {
	for source, want := range map[string]string{
		`a \* b \\| c`: `a * b \| c`, "&lt;b&gt; &amp;lt; &#124;": "<b> &lt; |", "<b> & \"c\"": `<b> & "c"`, `\&lt;`: "&lt;", "가나": "가나",
	} {
		if got := markdown.Plain([]byte(source)); got != want {
			t.Errorf("%q: got %q, want %q", source, got, want)
		}
	}
}
