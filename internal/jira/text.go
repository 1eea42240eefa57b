package jira

import "strings"

// document is foreign text in the Atlassian Document Format: a paragraph for each block, in which nothing is markup.
func document(text, link string) map[string]any {
	content := []any{}
	for _, block := range strings.Split(text, "\n\n") {
		var inline []any
		for n, line := range strings.Split(block, "\n") {
			if n > 0 {
				inline = append(inline, map[string]any{"type": "hardBreak"})
			}
			if line != "" { // a text node must not be empty
				inline = append(inline, words(line))
			}
		}
		if inline != nil {
			content = append(content, paragraph(inline...))
		}
	}
	if link != "" {
		there := words(link)
		there["marks"] = []any{map[string]any{"type": "link", "attrs": map[string]string{"href": link}}}
		content = append(content, paragraph(words("Muster: "), there))
	}
	return map[string]any{"type": "doc", "version": 1, "content": content}
}

func paragraph(inline ...any) map[string]any {
	return map[string]any{"type": "paragraph", "content": inline}
}

func words(text string) map[string]any { return map[string]any{"type": "text", "text": text} }

// plain is foreign text as wiki markup in which nothing is a macro, a link, a picture or a table. URLs stay what they are.
func plain(text string) string {
	return strings.NewReplacer(`\`, "&#92;", "{", `\{`, "[", `\[`, "!", `\!`, "|", `\|`).Replace(text)
}
