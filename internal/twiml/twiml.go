// Package twiml writes what a telephone says, in the XML that services such as Twilio read, and tells whether such a service has sent
// a request. It calls nobody.
package twiml

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // what the services sign with; as an HMAC it is sound
	"encoding/base64"
	"encoding/xml"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// longest is how many characters are said: twice, escaped and with a link, they stay below the 4,000 that a call takes.
const longest = 250

// The keys that are asked for.
const (
	AcknowledgeKey = "1"
	EscalateKey    = "2"
)

var (
	heading = regexp.MustCompile(`^\[([^\]]*)\]\s*`)
	unsaid  = regexp.MustCompile(`^[A-Z]{2,5}-[0-9A-Z-]+:\s*|\s*\((?:[A-Z]{2,5}-[0-9A-Z-]+|ACK)\)`)
)

// Spoken is a text as one can say it: the priority in front, and no IDs.
func Spoken(text string) string {
	text = unsaid.ReplaceAllString(strings.TrimSpace(text), "")
	return strings.TrimSpace(heading.ReplaceAllString(text, "$1. "))
}

// words are what is said beside a text.
type words struct{ voice, begin, keys, none string }

func in(language string) words {
	if language == "ko" {
		return words{
			"ko-KR", "머스터입니다.", "확인하려면 1번, 다음 단계로 올리려면 2번을 누르십시오.", "누르신 번호가 없습니다. 누군가 확인할 때까지 호출은 계속됩니다.",
		}
	}
	return words{
		"en-US", "This is Muster.", "Press 1 to acknowledge, or 2 to escalate.", "No key was pressed. Until somebody acknowledges, paging goes on.",
	}
}

// Page says a text twice, in a language of people, and asks for a key that is sent to a URL. Without one it asks for none.
func Page(language, text, keys string) string {
	w := in(language)
	text = w.begin + " " + sentence(short(text))
	if keys == "" {
		return response(say(w, text) + `<Pause length="1"/>` + say(w, text))
	}
	return response(gather(w, keys, say(w, text+" "+w.keys)+`<Pause length="1"/>`+say(w, text+" "+w.keys)) + say(w, w.none))
}

// Again says why, and asks for a key once more.
func Again(language, why, keys string) string {
	w := in(language)
	return response(gather(w, keys, say(w, short(why)+" "+w.keys)) + say(w, w.none))
}

// Say says a text and ends the call.
func Say(language, text string) string { return response(say(in(language), short(text)) + "<Hangup/>") }

func response(verbs string) string {
	return `<?xml version="1.0" encoding="UTF-8"?><Response>` + verbs + `</Response>`
}

func gather(w words, to, verbs string) string {
	return `<Gather input="dtmf" numDigits="1" timeout="10" method="POST" language="` + w.voice + `" action="` + escaped(to) + `">` + verbs + `</Gather>`
}

func say(w words, text string) string {
	return `<Say language="` + w.voice + `">` + escaped(text) + `</Say>`
}

// escaped is a text within XML, whatever it has in it.
func escaped(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a builder takes everything
	return b.String()
}

// sentence ends a text, so that what is said next is a sentence of its own.
func sentence(text string) string {
	if text = strings.TrimSpace(text); text == "" || strings.ContainsAny(text[len(text)-1:], ".!?") {
		return text
	}
	return text + "."
}

// short is the beginning of a text.
func short(text string) string {
	if all := []rune(text); len(all) > longest {
		return string(all[:longest])
	}
	return text
}

// Signed tells whether a request to a URL, with a form, has the signature that the holder of a token makes.
func Signed(token, address string, form url.Values, signature string) bool {
	got, err := base64.StdEncoding.Strict().DecodeString(signature)
	ok := false
	for _, a := range spellings(address) {
		ok = hmac.Equal(got, sum(token, a, form)) || ok
	}
	return ok && err == nil && token != ""
}

// Signature is what the holder of a token signs a request with.
func Signature(token, address string, form url.Values) string {
	return base64.StdEncoding.EncodeToString(sum(token, address, form))
}

func sum(token, address string, form url.Values) []byte {
	mac := hmac.New(sha1.New, []byte(token))
	mac.Write([]byte(address))
	var names []string
	for name := range form {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, value := range slices.Compact(slices.Sorted(slices.Values(form[name]))) {
			mac.Write([]byte(name + value))
		}
	}
	return mac.Sum(nil)
}

// spellings are a URL with and without its port: which of them is signed is not always the one that was asked for.
func spellings(address string) []string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return []string{address}
	}
	host, usual := u.Host, map[string]string{"https": ":443", "http": ":80"}[u.Scheme]
	if port := u.Port(); port != "" {
		host = strings.TrimSuffix(host, ":"+port)
	} else {
		host += usual
	}
	return []string{address, strings.Replace(address, "://"+u.Host, "://"+host, 1)}
}
