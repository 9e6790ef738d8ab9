package graph

import (
	"sync"
	"time"

	"github.com/mercadoesperto/smarket/internal/invoice"
)

const (
	defaultMaxUploads = 64
	// maxUserUploads is how many uploads one user has under way: several photos in a row, but not all the slots.
	maxUserUploads = 6
	// uploadRetry is when somebody who found no slot may try again.
	uploadRetry = 5 * time.Second
)

// uploadSlots bounds the uploads that are coming in: each has files on the disk and a connection for as long as its client
// likes to take.
type uploadSlots struct {
	mu    sync.Mutex
	total int
	users map[string]int
}

// take fails with RATE_LIMITED when the user has too many under way, and with UNAVAILABLE when all together do.
func (s *uploadSlots) take(userID string, most, mostOfUser int) (release func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.users[userID] >= mostOfUser {
		return nil, &invoice.Error{
			Code: invoice.CodeRateLimited, Message: "Você já está enviando várias notas. Espere uma delas terminar.", RetryAfter: uploadRetry,
		}
	}
	if s.total >= most {
		return nil, &invoice.Error{
			Code: invoice.CodeUnavailable, Message: "Há muitos envios agora. Tente de novo em instantes.", RetryAfter: uploadRetry,
		}
	}
	if s.users == nil {
		s.users = map[string]int{}
	}
	s.total++
	s.users[userID]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.total--
		if s.users[userID]--; s.users[userID] == 0 {
			delete(s.users, userID)
		}
	}, nil
}
