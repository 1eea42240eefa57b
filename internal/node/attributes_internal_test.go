package node

import (
	"strings"
	"testing"

	enumspb "go.temporal.io/api/enums/v1"
)

// Each Temporal has the commands of its own tool.
func TestTools(t *testing.T) {
	id, due := attribute{"MusterId", enumspb.INDEXED_VALUE_TYPE_KEYWORD}, attribute{"MusterNextDue", enumspb.INDEXED_VALUE_TYPE_DATETIME}
	cloud := []string{
		"tcld namespace create --namespace muster --region REGION --retention-days 30",
		"tcld namespace search-attributes rename --namespace muster.a1b2c --existing-name MusterId --new-name MusterIdBefore",
		`tcld namespace search-attributes add --namespace muster.a1b2c --search-attribute "MusterId=Keyword" --search-attribute "MusterNextDue=Datetime"`,
	}
	own := []string{
		"temporal operator namespace create --namespace muster.a1b2c --retention 30d",
		"temporal operator search-attribute remove --namespace muster.a1b2c --name MusterId",
		"temporal operator search-attribute create --namespace muster.a1b2c --name MusterId --type Keyword",
		"temporal operator search-attribute create --namespace muster.a1b2c --name MusterNextDue --type Datetime",
	}
	for host, want := range map[string][]string{
		"muster.a1b2c.tmprl.cloud:7233": cloud, "ap-northeast-1.aws.api.temporal.io:7233": cloud, "temporal:7233": own, "": own,
		"tmprl.cloud.example.com:7233": own,
	} {
		tool := toolOf(host)
		got := append([]string{tool.namespace("muster.a1b2c")}, tool.attributes("muster.a1b2c", []attribute{id}, []attribute{id, due})...)
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s: got\n%s\nwant\n%s", host, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}
