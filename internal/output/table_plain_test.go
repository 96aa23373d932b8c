package output

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
)

// What is padded looks as what the library draws.
func TestPaddedIsAsDrawn(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	word := func() string {
		text := strings.Repeat(string(rune('!'+random.IntN(94))), random.IntN(12))
		if random.IntN(4) == 0 {
			text += " x"
		}
		return text
	}
	for range 200 {
		table := Table{Columns: []string{"NAME"}}
		for range random.IntN(4) {
			table.Columns = append(table.Columns, strings.ToUpper(word())+"C")
		}
		for range 1 + random.IntN(6) {
			row := make([]string, len(table.Columns))
			for i := range row {
				row[i] = word()
			}
			table.Rows = append(table.Rows, row)
		}
		o := Options{NoHeaders: random.IntN(3) == 0}
		var padded, drawn bytes.Buffer
		table.padded(&padded, o)
		if err := table.drawn(&drawn, o); err != nil {
			t.Fatal(err)
		}
		if padded.String() != drawn.String() {
			t.Fatalf("padded:\n%s\ndrawn:\n%s", padded.String(), drawn.String())
		}
	}
}
