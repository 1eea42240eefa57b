package callback

// Words that no answer has.
const (
	byButton = "by button" // the reason of what wants one
	away     = "away"      // the engine does not answer
)

// words are what a tool shows or says of an answer, by its name; what was done, by the action.
func words(language string) map[string]string {
	if language == "ko" {
		return map[string]string{
			done + ".acknowledge": "확인(ACK)했습니다.",
			done + ".escalate":    "다음 단계로 올렸습니다.",
			done + ".resolve":     "해결로 처리했습니다.",
			taken:                 "담당자({by})가 이미 확인(ACK)했습니다. 더 하실 일은 없습니다.",
			over:                  "이미 끝난 장애입니다. 더 하실 일은 없습니다.",
			changed:               "이 메시지를 보낸 뒤 장애의 제목이나 서비스가 바뀌었습니다. 내용을 다시 보고 결정하십시오.",
			denied:                "이 장애에서 그 일을 할 권한이 없습니다.",
			byButton:              "{tool}의 버튼으로 처리함",
			away:                  "지금은 처리하지 못했습니다. 잠시 뒤 버튼을 다시 누르십시오.",
			refused:               "지금은 할 수 없는 일입니다. muster show 명령으로 장애의 상태를 확인하십시오.",
		}
	}
	return map[string]string{
		done + ".acknowledge": "you have acknowledged it.",
		done + ".escalate":    "the next step is being paged.",
		done + ".resolve":     "it is resolved.",
		taken:                 "{by} has acknowledged it already. There is nothing left for you to do.",
		over:                  "this incident is over. There is nothing left for you to do.",
		changed:               "it has another title or service since this message was sent. Look at it again before you decide.",
		denied:                "you may not do this in this incident.",
		byButton:              "by a button in {tool}",
		away:                  "this could not be done now. Press the button again in a moment.",
		refused:               "this cannot be done now. See how it stands with muster show.",
	}
}
