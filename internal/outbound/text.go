package outbound

import (
	"errors"
	"net/url"
	"strings"
	"time"

	"muster/internal/delivery"
)

// Fenced is foreign text as Markdown that is shown as it is: nothing in it links, formats, mentions or commands.
func Fenced(text string) string {
	fence := "```"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	return fence + "text\n" + strings.TrimRight(text, "\n") + "\n" + fence + "\n"
}

// Link returns what another system says is a link, if it is one that people can follow, else nothing.
func Link(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil || (u.Scheme != "http" && u.Scheme != "https") || len(s) > 2000 {
		return ""
	}
	return s
}

// Later makes an error that says "try again" say so for a while: a system needs a moment to find what it has just made.
func Later(err error, least time.Duration) error {
	if u, ok := errors.AsType[*delivery.Unavailable](err); ok {
		return &delivery.Unavailable{Detail: u.Detail, After: max(u.After, least)}
	}
	return err
}
