package report

import (
	"strings"
	"unicode"
)

// ending is how a word ends when it is read aloud in Korean.
type ending int

const (
	unread    ending = iota // nobody knows
	vowel                   // 를, 는, 가, 와, 로
	rieul                   // 을, 은, 이, 과, but 로
	consonant               // 을, 은, 이, 과, 으로
)

// josa puts the right one of a pair of particles behind a word: josa "P1" "을/를" is "P1을".
func josa(word, pair string) string {
	after, afterVowel, ok := strings.Cut(pair, "/")
	if !ok {
		return word + pair
	}
	e := spoken(word)
	switch {
	case e == vowel, e == rieul && after == "으로":
		return word + afterVowel
	case e != unread:
		return word + after
	case after == "으로":
		return word + "(으)로"
	}
	return word + after + "(" + afterVowel + ")"
}

// spoken says how a word ends. What stands in brackets at its end is not read: 확인(ACK)을.
func spoken(word string) ending {
	r := []rune(strings.TrimRightFunc(word, func(r rune) bool { return !readable(r) && r != ')' }))
	if n := len(r); n > 0 && r[n-1] == ')' {
		open := strings.LastIndex(string(r), "(")
		if open > 0 {
			return spoken(string(r)[:open])
		}
		return spoken(string(r[:n-1]))
	}
	if len(r) == 0 {
		return unread
	}
	switch last := r[len(r)-1]; {
	case last >= '가' && last <= '힣':
		return hangul(last)
	case last >= '0' && last <= '9':
		return digit(last)
	case last <= unicode.MaxASCII:
		start := len(r)
		for start > 0 && r[start-1] <= unicode.MaxASCII && unicode.IsLetter(r[start-1]) {
			start--
		}
		return latin(string(r[start:]))
	}
	return unread
}

func readable(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

func hangul(r rune) ending {
	const finals, final = 28, 8 // syllables come in rows of 28 finals; the eighth is ㄹ
	switch (r - '가') % finals {
	case 0:
		return vowel
	case final:
		return rieul
	}
	return consonant
}

// digit: 영 일 이 삼 사 오 육 칠 팔 구. Tens, hundreds and thousands end in a consonant as 영 does.
func digit(r rune) ending {
	switch r {
	case '1', '7', '8':
		return rieul
	case '0', '3', '6':
		return consonant
	}
	return vowel
}

// latin: abbreviations are spelt (엘 엠 엔 알 end in a consonant), words are read as they are commonly written in Hangul.
func latin(word string) ending {
	lower := strings.ToLower(word)
	if word == strings.ToUpper(word) || len(word) == 1 {
		switch lower[len(lower)-1] {
		case 'l', 'r':
			return rieul
		case 'm', 'n':
			return consonant
		}
		return vowel
	}
	for _, e := range []struct {
		suffixes string
		ending   ending
	}{
		{"le l", rieul},                                  // 콘솔, 이메일
		{"m n ng ne me ck", consonant},                   // 시스템, 머신, 볼륨, 슬랙
		{"out et at it ot ut ap ep ip op up", consonant}, // 타임아웃, 티켓
		{"ac ic ec oc ab eb ob ok ook app", consonant},   // 트래픽, 웹, 훅
	} {
		for _, s := range strings.Fields(e.suffixes) {
			if strings.HasSuffix(lower, s) && !silent(lower, s) {
				return e.ending
			}
		}
	}
	return vowel
}

// silent finds the long vowels after which a final t, p or k becomes a syllable of its own: 루트, 피크, 로드.
func silent(word, suffix string) bool {
	before := strings.TrimSuffix(word, suffix)
	return before != "" && len(suffix) == 2 && strings.ContainsAny(suffix[:1], "aeiou") &&
		strings.ContainsAny(before[len(before)-1:], "aeou")
}
