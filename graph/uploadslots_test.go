package graph

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/invoice"
)

func TestUploadsUnderWayAreBounded(t *testing.T) {
	t.Parallel()
	var s uploadSlots
	var free []func()
	for range maxUserUploads {
		release, err := s.take("ana", 8, maxUserUploads)
		require.NoError(t, err)
		free = append(free, release)
	}
	_, err := s.take("ana", 8, maxUserUploads)
	assert.Equal(t, invoice.CodeRateLimited, invoice.CodeOf(err), "one user does not get all the slots")
	for range 8 - maxUserUploads {
		_, err = s.take("bia", 8, maxUserUploads)
		require.NoError(t, err)
	}
	_, err = s.take("carla", 8, maxUserUploads)
	assert.Equal(t, invoice.CodeUnavailable, invoice.CodeOf(err))
	for _, release := range free {
		release()
	}
	_, err = s.take("carla", 8, maxUserUploads)
	require.NoError(t, err)
	assert.NotContains(t, s.users, "ana", "who has none under way is forgotten")
}
