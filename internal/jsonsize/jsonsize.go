// Package jsonsize tells how much room a text takes in JSON, for states that must stay small.
package jsonsize

// Of is the length of s as a JSON string without its quotes, at most: control characters, quotes and the characters that
// HTML knows take six bytes each.
func Of(s string) int {
	n := len(s)
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			n += 5
		}
	}
	return n
}
