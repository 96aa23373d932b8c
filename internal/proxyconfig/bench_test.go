package proxyconfig

import (
	"bytes"
	"os"
	"testing"
)

func BenchmarkRead(b *testing.B) {
	text, err := os.ReadFile(os.Getenv("DUMP"))
	if err != nil {
		b.Skip("DUMP names a config dump")
	}
	for _, part := range []string{"cluster", "listener", "route", "endpoint", "secret", "bootstrap"} {
		for _, keep := range []bool{false, true} {
			name := part
			if keep {
				name += "-json"
			}
			b.Run(name, func(b *testing.B) {
				b.SetBytes(int64(len(text)))
				b.ReportAllocs()
				for b.Loop() {
					if _, err := readPart(part, Source{Name: "f", Reader: bytes.NewReader(text), KeepConfig: keep}, nil); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
