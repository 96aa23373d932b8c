package mesh

import (
	"runtime"
	"sync"
)

// Parallel calls f for 0 to n-1 on all processors, and returns when all are
// done. A panic of f is passed on to the caller.
func Parallel(n int, f func(i int)) {
	const chunk = 64
	workers := min(runtime.GOMAXPROCS(0), (n+chunk-1)/chunk)
	if workers <= 1 {
		for i := range n {
			f(i)
		}
		return
	}
	next := make(chan int)
	var wg sync.WaitGroup
	var once sync.Once
	var panicked any
	work := func(from int) {
		defer func() {
			if r := recover(); r != nil {
				once.Do(func() { panicked = r })
			}
		}()
		for i := from; i < min(from+chunk, n); i++ {
			f(i)
		}
	}
	for range workers {
		wg.Go(func() {
			for from := range next {
				work(from)
			}
		})
	}
	for from := 0; from < n; from += chunk {
		next <- from
	}
	close(next)
	wg.Wait()
	if panicked != nil {
		panic(panicked)
	}
}
