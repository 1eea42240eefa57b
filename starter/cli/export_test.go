package cli

import (
	"cmp"
	"fmt"
	"io"
	"strings"
)

// What login, token create and the contexts file judge by.
var (
	Loopback = loopback
	Normal   = normal
	Expiry   = expiry
	Typed    = typed
)

// DecodeContexts reads the text of a contexts file and lists what it holds, the tokens as they are.
func DecodeContexts(file string, text []byte) (current string, all [][3]string, err error) {
	c, err := decodeContexts(file, text)
	for _, s := range c.Contexts {
		all = append(all, [3]string{s.Name, s.URL, string(s.Token)})
	}
	return c.Current, all, err
}

// RewriteContexts writes what a text holds into the contexts file of a home, and reads it again.
func RewriteContexts(home string, text []byte) (before, after string, err error) {
	a := &app{env: Env{Home: home, Getenv: func(string) string { return "" }, Stderr: io.Discard}}
	c, err := decodeContexts("text", text)
	if err != nil {
		return "", "", err
	}
	if err := a.writeContexts(c); err != nil {
		return "", "", err
	}
	again, err := a.readContexts()
	show := func(c contexts) string {
		out := c.Current
		for _, s := range c.Contexts {
			out += fmt.Sprintf("; %s %s %q", s.Name, s.URL, string(s.Token))
		}
		return out
	}
	return show(c), show(again), err
}

// ShowToken prints a token in every way that fmt has.
func ShowToken(token string) string {
	s := saved{Name: "home", Token: secret(token)}
	return fmt.Sprintf("%v %+v %#v %s %q %x", s, s, s.Token, s.Token, s.Token, s.Token)
}

// Accepts tells whether a command line is understood: its command, its flags, and how many arguments it has.
func Accepts(args []string) error {
	root := (&app{env: Env{Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: io.Discard, Getenv: func(string) string { return "" }}}).root()
	cmd, rest, err := root.Find(args)
	if err != nil {
		return err
	}
	if err := cmd.ParseFlags(rest); err != nil {
		return err
	}
	if cmd.HasSubCommands() {
		return noCommand(cmd, cmd.Flags().Args())
	}
	return cmp.Or(cmd.ValidateArgs(cmd.Flags().Args()), cmd.ValidateRequiredFlags())
}
