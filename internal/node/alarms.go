package node

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// An alarm is something that whoever is told of what Muster sees in itself must hear of, in English and Korean. Each has one
// place for what it is about. Its name is the one in the metrics, on which alert rules rest: add, never rename.
type alarm struct{ name, en, ko string }

var (
	guessed = alarm{
		"guessed",
		"Somebody at %s shows tokens or links that are not good, and is shut out for a quarter of an hour. muster attempts has them.",
		"%s에서 유효하지 않은 토큰이나 링크를 거듭 제시하여 15분 동안 차단했습니다. 기록은 muster attempts에 있습니다.",
	}
	notOpened = alarm{
		"not-opened",
		"An incident was not opened: %s was started by somebody else, or by a muster serve whose keys or clock are not those of this worker. Alerts of its group may have been lost. muster attempts says why.",
		"인시던트를 열지 않았습니다: %s을(를) 다른 누군가가 시작했거나, 서명 키 또는 시계가 이 워커와 다른 muster serve가 시작했습니다. 해당 그룹의 경보가 유실되었을 수 있습니다. 이유는 muster attempts에 있습니다.",
	}
	notArchived = alarm{
		"not-archived",
		"Temporal may soon drop runs that could not be archived, the first of them %s. The newest census of the archive says why: muster audit completeness.",
		"보관하지 못한 이력의 Temporal 보존 기간이 곧 끝납니다. 가장 먼저 끝나는 이력: %s. 이유는 증적 보관소의 최근 전수 목록에 있습니다: muster audit completeness.",
	}
	notUsable = alarm{
		"archive-unusable",
		"The archive cannot be gone on with, so nothing is archived: %s.",
		"증적 보관소에 이어서 기록할 수 없어 아무것도 보관되지 않습니다: %s.",
	}
	notErased = alarm{
		"not-erased",
		"Records whose retention is over could not be erased: %s.",
		"보존 기한이 지난 기록을 삭제하지 못했습니다: %s.",
	}
	notAnchored = alarm{
		"not-anchored",
		"The newest checkpoint of the archive could not be sent to its anchor: %s.",
		"증적 보관소의 최근 체크포인트를 앵커로 보내지 못했습니다: %s.",
	}
	notKept = alarm{
		"not-kept",
		"For an hour nothing could be archived: %s. What has ended is lost when Temporal's retention is over.",
		"한 시간 동안 아무것도 보관하지 못했습니다: %s. Temporal의 보존 기간이 지나면 종료된 이력을 잃게 됩니다.",
	}
)

// quiet is how long after an alarm the same one is not raised again: who makes a thousand of them floods nobody.
const quiet = 15 * time.Minute

// alarms are told through the fallback, which needs no Temporal.
type alarms struct {
	node *Node
	all  sync.WaitGroup

	mu   sync.Mutex
	last map[alarm]time.Time
}

func newAlarms(n *Node) *alarms {
	for _, a := range []alarm{guessed, notOpened, notArchived, notUsable, notErased, notAnchored, notKept} {
		n.metrics.Alarms.Expect(a.name)
	}
	return &alarms{node: n, last: map[alarm]time.Time{}}
}

// tell raises an alarm, and waits for nothing.
func (a *alarms) tell(what alarm, about string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	if last, told := a.last[what]; told && now.Sub(last) < quiet {
		return
	}
	a.last[what] = now
	text := what.en
	if a.node.org.Current().Languages[0] == "ko" {
		text = what.ko
	}
	a.all.Go(func() {
		const patience = 10 * time.Second
		ctx, cancel := context.WithTimeout(a.node.life, patience)
		defer cancel()
		err := a.node.fallback(ctx, fmt.Sprintf(text, about))
		a.node.metrics.Alarms.Told(what.name, err)
		if err != nil {
			a.node.cfg.Log.Error("nobody was told", "alarm", fmt.Sprintf(what.en, about), "error", err)
		}
	})
}

func (a *alarms) wait() { a.all.Wait() }
